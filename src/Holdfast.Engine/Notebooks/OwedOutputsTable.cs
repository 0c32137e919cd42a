using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Notebooks;

/// <summary>The statements of the table owed_outputs.</summary>
internal static class OwedOutputsTable
{
    public static void Put(StoreTransaction transaction, ExecutionId execution, string path, long at)
    {
        using Statement insert = transaction
            .Prepare("INSERT INTO owed_outputs (execution_id, path, since) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")
            .Bind(1, execution.Value)
            .Bind(2, path)
            .Bind(3, at);
        insert.Execute();
    }

    /// <summary>The notebooks that something is owed to, as they were asked for.</summary>
    public static List<string> Paths(StoreReader reader) => Texts(reader.Prepare("SELECT DISTINCT path FROM owed_outputs ORDER BY path"));

    /// <param name="realPath">Links followed.</param>
    public static HashSet<string> Of(StoreReader reader, string path, string realPath) =>
        [.. Texts(reader.Prepare("SELECT execution_id FROM owed_outputs WHERE path IN (?1, ?2)").Bind(1, path).Bind(2, realPath))];

    /// <summary>A notebook, or a folder, has another name now.</summary>
    public static void Move(StoreTransaction transaction, string from, string to)
    {
        using Statement update = transaction
            .Prepare(
                "UPDATE owed_outputs SET path = ?2 || substr(path, length(?1) + 1) WHERE path = ?1 OR substr(path, 1, length(?1) + 1) = ?1 || '/'"
            )
            .Bind(1, from)
            .Bind(2, to);
        update.Execute();
    }

    public static void Forget(StoreTransaction transaction, string execution)
    {
        using Statement delete = transaction.Prepare("DELETE FROM owed_outputs WHERE execution_id = ?1").Bind(1, execution);
        delete.Execute();
    }

    private static List<string> Texts(Statement select)
    {
        using (select)
        {
            var texts = new List<string>();
            while (select.Step())
            {
                texts.Add(select.Text(0));
            }

            return texts;
        }
    }
}
