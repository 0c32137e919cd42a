using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Reactive.Registration;
using Holdfast.Engine.Reactive.Sql;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>Gives a notebook's cells, as they are now, with the graph of their names; one caller at a time for each notebook.</summary>
public sealed class CascadeSubjects(ReactiveNotebooks notebooks)
{
    internal Task<IDisposable> TakeTurnAsync(string path, CancellationToken cancellationToken) => notebooks.TakeTurnAsync(path, cancellationToken);

    /// <summary>Edits come into the file first: outputs are only written beside the text that they are of. The caller has the turn.</summary>
    internal async Task<CascadeSubject> ReadAsync(NotebookFile notebook, CancellationToken cancellationToken)
    {
        ReactiveNotebook registered = await notebooks.ReadIntoAsync(notebook, cancellationToken);
        if (notebook.IsChanged)
        {
            registered = await notebooks.ChangeAsync(notebook.Path, static _ => { }, cancellationToken);
        }

        var cells = new Dictionary<CellId, CascadeCell>();
        foreach (NotebookCell cell in ReactiveNotebook.CodeCells(notebook))
        {
            string source = registered.Sources[new CellId(cell.Id!)];
            cells[new CellId(cell.Id!)] = new CascadeCell(source, cell.Index, cell.Tags.Contains(NotebookRunPlan.ErrorAllowedTag))
            {
                Code = SqlAnalyser.IsSql(source) ? SqlCode.Of(SqlCell.Parse(source)) : null,
            };
        }

        return new CascadeSubject(registered.Registry, cells);
    }
}
