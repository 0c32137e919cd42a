using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Reactive.Registration;
using Holdfast.Engine.Reactive.Sql;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>Gives a notebook's cells, as they are now, with the graph of their names; one caller at a time for each notebook.</summary>
public sealed class CascadeSubjects(ReactiveNotebooks notebooks)
{
    internal Task<IDisposable> TakeTurnAsync(string path, CancellationToken cancellationToken) =>
        notebooks.TakeTurnAsync(path, cancellationToken);

    /// <summary>
    /// Edits come into the file first: outputs are only written beside the text that they are of. What clients have run past the cascades
    /// is registered, as whatever runs is. The caller has the turn.
    /// </summary>
    /// <param name="forRun">Cells are going to run, and their outputs to be written.</param>
    internal async Task<CascadeSubject> ReadAsync(NotebookFile notebook, bool forRun, CancellationToken cancellationToken)
    {
        ReactiveNotebook registered = await notebooks.ReadIntoAsync(notebook, forRun: false, cancellationToken);
        IReadOnlyList<ClientRun> runs = await notebooks.RegisterRunsAsync(registered, cancellationToken);
        registered.PutEditsInto(notebook, forRun);
        if (notebook.IsChanged)
        {
            // Somebody may have saved it meanwhile: its cells, then, are those that were registered now.
            (registered, notebook) = await notebooks.ChangeFileAsync(notebook.Path, static _ => { }, forRun, cancellationToken);
        }

        var cells = new Dictionary<CellId, CascadeCell>();
        foreach (NotebookCell cell in ReactiveNotebook.CodeCells(notebook))
        {
            var id = new CellId(cell.Id!);
            string source = registered.Sources[id];
            cells[id] = new CascadeCell(source, cell.Index, cell.Tags.Contains(NotebookRunPlan.ErrorAllowedTag))
            {
                SourceHash = registered.Hash(id),
                Code = SqlAnalyser.IsSql(source) ? SqlCode.Of(SqlCell.Parse(source)) : null,
            };
        }

        return new CascadeSubject(registered.Registry, cells) { Runs = runs };
    }
}
