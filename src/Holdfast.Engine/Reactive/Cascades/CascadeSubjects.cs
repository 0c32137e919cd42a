using System.Collections.Concurrent;
using Holdfast.Engine.Notebooks;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>Gives a notebook's cells, as they are now, with the graph of their names; one caller at a time for each notebook.</summary>
public sealed class CascadeSubjects(ICellAnalyser analyser)
{
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _turns = new();

    private sealed class Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }

    internal async Task<IDisposable> TakeTurnAsync(string path, CancellationToken cancellationToken)
    {
        SemaphoreSlim turn = _turns.GetOrAdd(path, static _ => new SemaphoreSlim(1));
        await turn.WaitAsync(cancellationToken);
        return new Turn(turn);
    }

    internal async Task<CascadeSubject> ReadAsync(NotebookFile notebook, CancellationToken cancellationToken)
    {
        var registry = new CellRegistry();
        var cells = new Dictionary<CellId, CascadeCell>();
        foreach (NotebookCell cell in notebook.Cells.Where(static c => c.IsCode && !string.IsNullOrWhiteSpace(c.Source) && c.Id is not null))
        {
            var id = new CellId(cell.Id!);
            cells[id] = new CascadeCell(cell.Source, cell.Index, cell.Tags.Contains(NotebookRunPlan.ErrorAllowedTag));
            registry.Register(id, await analyser.AnalyseAsync(cell.Source, cancellationToken));
            registry.SetDisabled(id, cell.IsDisabled);
        }

        return new CascadeSubject(registry, cells);
    }
}
