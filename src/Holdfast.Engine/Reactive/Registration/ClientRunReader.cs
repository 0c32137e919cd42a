using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>
/// Finds out what was run in a notebook's kernel past its cascades: 1. of which cell: the client says so, or else the one cell with this
/// text; 2. which names it has written. It changes nothing.
/// </summary>
internal sealed class ClientRunReader(StateStore store)
{
    /// <summary>In the order in which they ran.</summary>
    public async Task<List<(ClientRun Run, string? Source)>> ReadAsync(ReactiveNotebook notebook, CancellationToken cancellationToken)
    {
        List<(ReactiveEdit Edit, Execution Execution, string? Source)> found = store.Read(reader =>
            ReactiveEditsTable
                .Of(reader, notebook.Path)
                .Where(static e => e.Execution is not null)
                .Select(e => (Edit: e, Execution: ExecutionsTable.Find(reader, e.Execution!.Value)))
                .Where(static f => f.Execution is not null)
                .Select(f => (f.Edit, f.Execution!, CellCode.Read(ExecutionsTable.ReadRequest(reader, f.Edit.Execution!.Value))))
                .ToList()
        );
        var runs = new List<(ClientRun, string?)>(found.Count);
        foreach ((ReactiveEdit edit, Execution execution, string? source) in found.OrderBy(static f => f.Execution.StartPosition))
        {
            CellAnalysis? analysis = source is null ? null : await notebook.Analyser.AnalyseAsync(source, cancellationToken);
            IReadOnlyList<string> written = analysis is null ? [] : [.. analysis.Definitions.Concat(analysis.Deletions).Distinct()];
            runs.Add(
                (
                    new ClientRun(
                        edit.Cell,
                        CellOf(notebook, execution, source),
                        execution,
                        source is null ? null : ReactiveNotebook.HashOf(source),
                        written
                    ),
                    source
                )
            );
        }

        return runs;
    }

    private static CellId? CellOf(ReactiveNotebook notebook, Execution execution, string? source)
    {
        if (execution.CellId is { } id)
        {
            return notebook.Sources.ContainsKey(new CellId(id)) ? new CellId(id) : null;
        }

        CellId[] same = source is null ? [] : [.. notebook.Sources.Where(s => s.Value == source).Select(static s => s.Key).Take(2)];
        return same.Length == 1 ? same[0] : null;
    }
}
