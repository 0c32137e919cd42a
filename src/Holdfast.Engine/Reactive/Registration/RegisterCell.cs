using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Reactive.Cascades;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>
/// An edit of one cell. <paramref name="Index"/> is where a new cell goes, counted from 0 over all cells of the notebook; only for a cell
/// id that the notebook does not have.
/// </summary>
/// <param name="BasedOn">SHA-256 of the text that the edit was made from, in lower-case hexadecimal digits; null to write over whatever is
/// there.</param>
public sealed record CellText(string Path, string CellId, string Source, string? BasedOn, int? Index);

/// <summary>The verdict on an edit, and what of the cells that it touches is stale now.</summary>
public sealed record RegisteredVerdict(CellId Cell, CellState State, CellAnalysis Analysis, string SourceHash, CellFreshness Freshness);

/// <summary>
/// Registers the text of a cell before it runs: 1. it is analysed; 2. checked against the graph, and accepted or refused; 3. text and
/// verdicts are stored with the events that tell everybody. The file gets the text a moment later, or when the cell runs. A blocked cell is
/// an answer, not an error.
/// Errors: notebook-*, notebook-not-reactive, not-supported (no Python), cell-not-found, cell-changed, disk-full.
/// </summary>
public sealed class RegisterCell(ReactiveNotebooks notebooks, string root)
{
    public async Task<RegisteredVerdict> RunAsync(CellText edit, CancellationToken cancellationToken)
    {
        string path = NotebookStorage.RealPathOf(edit.Path, root);
        Actor.Does(nameof(RegisterCell), path, edit.CellId);
        var cell = new CellId(edit.CellId);
        using IDisposable turn = await notebooks.TakeTurnAsync(path, cancellationToken);
        ReactiveNotebook notebook = await notebooks.OpenAsync(path, cancellationToken);
        ReactiveCheck.ThrowIfNotReactive(notebook);
        if (!notebook.Sources.TryGetValue(cell, out string? before))
        {
            notebook = await InsertAsync(notebook, edit, cancellationToken);
            return Verdict(notebook, cell, notebooks.Freshness(notebook, [cell, .. notebook.Registry.Graph.Descendants(cell)]));
        }

        if (edit.BasedOn is { } basedOn && basedOn != notebook.Hash(cell))
        {
            throw new RefusedException(
                ErrorCodes.CellChanged,
                $"Somebody else has changed the cell {cell} of {path} since. Read it again, and make the edit anew."
            );
        }

        if (before == edit.Source)
        {
            return Verdict(notebook, cell, CellFreshness.None);
        }

        CellAnalysis analysis = await notebook.Analyser.AnalyseAsync(edit.Source, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        RegistryChange change = notebook.Registry.Register(cell, analysis);
        notebook.SetSource(cell, edit.Source, notebooks.Now);
        CellFreshness freshness = await notebooks.CommitAsync(notebook, cell, change, []);
        return Verdict(notebook, cell, freshness);
    }

    /// <summary>A new cell goes into the file at once: a cell is not added with every key.</summary>
    private async Task<ReactiveNotebook> InsertAsync(ReactiveNotebook notebook, CellText edit, CancellationToken cancellationToken)
    {
        if (edit.Index is not { } index)
        {
            throw new RefusedException(
                ErrorCodes.CellNotFound,
                $"{notebook.Path} has no code cell \"{edit.CellId}\". Give index to add it."
            );
        }

        if (edit.CellId.Length is 0 or > 64 || !edit.CellId.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, "A cell's id has 1 to 64 letters, digits, hyphens and underscores.");
        }

        return await notebooks.ChangeAsync(
            notebook.Path,
            file =>
            {
                if (file.Cells.Any(c => c.Id == edit.CellId))
                {
                    throw new RefusedException(ErrorCodes.CellNotFound, $"The cell {edit.CellId} of {notebook.Path} is no code cell.");
                }

                file.InsertCodeCell(Math.Clamp(index, 0, file.Cells.Count), edit.Source, []).GiveId(edit.CellId);
            },
            cancellationToken
        );
    }

    private static RegisteredVerdict Verdict(ReactiveNotebook notebook, CellId cell, CellFreshness freshness) =>
        new(cell, notebook.Registry.State(cell), notebook.Registry.Analysis(cell), notebook.Hash(cell), freshness);
}
