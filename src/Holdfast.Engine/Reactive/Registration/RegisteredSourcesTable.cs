using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>The statements of the registered_sources table.</summary>
internal static class RegisteredSourcesTable
{
    public static void Put(StoreTransaction transaction, string path, IEnumerable<(CellId Cell, string Hash)> sources)
    {
        foreach ((CellId cell, string hash) in sources)
        {
            using Statement put = transaction
                .Prepare("INSERT OR REPLACE INTO registered_sources (path, cell_id, source_hash) VALUES (?1, ?2, ?3)")
                .Bind(1, path)
                .Bind(2, cell.Value)
                .Bind(3, hash);
            put.Execute();
        }
    }

    public static Dictionary<CellId, string> Of(StoreReader reader, string path)
    {
        using Statement select = reader.Prepare("SELECT cell_id, source_hash FROM registered_sources WHERE path = ?1").Bind(1, path);
        var sources = new Dictionary<CellId, string>();
        while (select.Step())
        {
            sources[new CellId(select.Text(0))] = select.Text(1);
        }

        return sources;
    }
}
