using Holdfast.Engine.Notebooks;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>
/// Takes a cell out of a reactive notebook, file and graph. It never runs again; whom its names came from becomes stale, and others may
/// have their names back.
/// Errors: notebook-*, notebook-not-reactive, cell-not-found.
/// </summary>
public sealed class DeleteCell(ReactiveNotebooks notebooks, string root)
{
    public async Task RunAsync(string path, string cellId, CancellationToken cancellationToken)
    {
        path = NotebookStorage.RealPathOf(path, root);
        Actor.Does(nameof(DeleteCell), path, cellId);
        using IDisposable turn = await notebooks.TakeTurnAsync(path, cancellationToken);
        ReactiveNotebook notebook = await notebooks.OpenAsync(path, cancellationToken);
        ReactiveCheck.ThrowIfNotReactive(notebook);
        await notebooks.ChangeAsync(path, file => file.RemoveCell(ReactiveNotebook.CellOf(file, cellId).Index), cancellationToken);
    }
}
