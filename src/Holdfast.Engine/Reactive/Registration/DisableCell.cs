using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Reactive.Cascades;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>
/// Disables a cell of a reactive notebook, or enables it again, in its own metadata: it does not run, nor what needs it. With autorun what
/// is stale of them runs when it is enabled.
/// Errors: notebook-*, notebook-not-reactive, cell-not-found.
/// </summary>
public sealed class DisableCell(ReactiveNotebooks notebooks, string root)
{
    public async Task<RegisteredVerdict> RunAsync(string path, string cellId, bool isDisabled, CancellationToken cancellationToken)
    {
        path = NotebookStorage.RealPathOf(path, root);
        Actor.Does(nameof(DisableCell), path, isDisabled ? cellId : $"{cellId}: enabled");
        var cell = new CellId(cellId);
        using IDisposable turn = await notebooks.TakeTurnAsync(path, cancellationToken);
        ReactiveNotebook notebook = await notebooks.OpenAsync(path, cancellationToken);
        ReactiveCheck.ThrowIfNotReactive(notebook);
        notebook = await notebooks.ChangeAsync(
            path,
            file => ReactiveNotebook.CellOf(file, cellId).SetDisabled(isDisabled),
            cancellationToken
        );
        CellFreshness freshness = notebooks.Freshness(notebook, [cell, .. notebook.Registry.Graph.Descendants(cell)]);
        return new RegisteredVerdict(cell, notebook.Registry.State(cell), notebook.Registry.Analysis(cell), notebook.Hash(cell), freshness);
    }
}
