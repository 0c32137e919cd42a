using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>
/// Edits that other programs have saved while nobody looked: what a file's cells are now against what was registered of them last.
/// </summary>
internal static class MissedEdits
{
    /// <summary>Reactive notebooks that have a kernel which lives.</summary>
    public static List<string> LivePaths(StoreReader reader)
    {
        using Statement select = reader.Prepare(
            "SELECT r.path FROM reactive_kernels r JOIN kernels k ON k.id = r.kernel_id WHERE k.attempt_id IS NOT NULL ORDER BY r.path"
        );
        var paths = new List<string>();
        while (select.Step())
        {
            paths.Add(select.Text(0));
        }

        return paths;
    }

    /// <summary>Without a look at what the texts mean: whether it is worth one.</summary>
    public static bool Has(StateStore store, string path)
    {
        NotebookFile file = NotebookFile.Load(path);
        if (!file.IsReactive)
        {
            return false;
        }

        (Dictionary<CellId, string> registered, Dictionary<CellId, ReactiveCellRow> rows) = store.Read(reader =>
            (RegisteredSourcesTable.Of(reader, path), ReactiveCellsTable.Of(reader, path))
        );
        List<NotebookCell> cells = [.. ReactiveNotebook.CodeCells(file)];
        return registered.Count > 0 && (registered.Count != cells.Count || cells.Exists(IsOther));

        bool IsOther(NotebookCell cell)
        {
            var id = new CellId(cell.Id!);
            string hash = ReactiveNotebook.HashOf(cell.Source);
            return registered.GetValueOrDefault(id) != hash
                && !(rows.TryGetValue(id, out ReactiveCellRow? edit) && edit.Source is not null && edit.BasedOn == hash);
        }
    }
}
