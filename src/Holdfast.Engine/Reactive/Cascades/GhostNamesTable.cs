using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>The statements of the ghost_names table.</summary>
internal static class GhostNamesTable
{
    public static void Add(StoreTransaction transaction, string path, string name)
    {
        using Statement insert = transaction
            .Prepare("INSERT OR IGNORE INTO ghost_names (path, name) VALUES (?1, ?2)")
            .Bind(1, path)
            .Bind(2, name);
        insert.Execute();
    }

    public static void Remove(StoreTransaction transaction, string path, string name)
    {
        using Statement delete = transaction.Prepare("DELETE FROM ghost_names WHERE path = ?1 AND name = ?2").Bind(1, path).Bind(2, name);
        delete.Execute();
    }

    public static List<string> Of(StoreReader reader, string path)
    {
        using Statement select = reader.Prepare("SELECT name FROM ghost_names WHERE path = ?1 ORDER BY name").Bind(1, path);
        var names = new List<string>();
        while (select.Step())
        {
            names.Add(select.Text(0));
        }

        return names;
    }
}
