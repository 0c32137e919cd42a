using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>All that the store knows of notebooks by their paths, which follows a file that gets another name.</summary>
internal static class NotebookRows
{
    private static readonly string[] Tables =
    [
        "reactive_kernels",
        "reactive_cells",
        "reactive_edits",
        "registered_sources",
        "cell_values",
        "held_names",
        "ghost_names",
    ];

    /// <summary>Rows of one path, or of all below it if it is a folder: `0` is what follows `/`, so that an index finds them.</summary>
    private const string IsOf = "(path = ?1 OR (path > ?1 || '/' AND path < ?1 || '0'))";

    /// <summary>Runs of it, too, whether reactive or not. What was known of the new path was another file's, which is no more.</summary>
    public static void Move(StoreTransaction transaction, string from, string to)
    {
        foreach (string table in Tables)
        {
            using Statement forget = transaction
                .Prepare(
                    $"DELETE FROM {table} WHERE {IsOf} AND EXISTS (SELECT 1 FROM {table} WHERE path = ?2 OR (path > ?2 || '/' AND path < ?2 || '0'))"
                )
                .Bind(1, to)
                .Bind(2, from);
            forget.Execute();
        }

        foreach (string table in Tables.Append("runs"))
        {
            using Statement update = transaction
                .Prepare($"UPDATE {table} SET path = ?2 || substr(path, length(?1) + 1) WHERE {IsOf}")
                .Bind(1, from)
                .Bind(2, to);
            update.Execute();
        }
    }

    /// <summary>The notebook, or the folder, is deleted. What ran in it stays on record.</summary>
    public static void Remove(StoreTransaction transaction, string path)
    {
        foreach (string table in Tables)
        {
            using Statement delete = transaction.Prepare($"DELETE FROM {table} WHERE {IsOf}").Bind(1, path);
            delete.Execute();
        }
    }

    /// <summary>A cell that is in the notebook no more, or of which one table has nothing to say any more.</summary>
    public static void Remove(StoreTransaction transaction, string table, string path, CellId cell)
    {
        using Statement delete = transaction
            .Prepare($"DELETE FROM {table} WHERE path = ?1 AND cell_id = ?2")
            .Bind(1, path)
            .Bind(2, cell.Value);
        delete.Execute();
    }

    public static bool HasAny(StoreReader reader, string path)
    {
        using Statement select = reader
            .Prepare("SELECT 1 FROM reactive_kernels WHERE path = ?1 UNION ALL SELECT 1 FROM reactive_cells WHERE path = ?1 LIMIT 1")
            .Bind(1, path);
        return select.Step();
    }

    /// <summary>
    /// Notebooks of which there is something, with the ids of the cells that it is of: values, edits, and what a cascade is at.
    /// </summary>
    public static Dictionary<string, HashSet<string>> Known(StoreReader reader)
    {
        using Statement select = reader.Prepare(
            "SELECT path, cell_id FROM cell_values UNION SELECT path, cell_id FROM reactive_cells "
                + "UNION SELECT r.path, e.cell_id FROM runs r JOIN executions e ON e.run_id = r.id WHERE r.finished_at IS NULL AND r.cascade_cells IS NOT NULL AND e.cell_id IS NOT NULL"
        );
        var known = new Dictionary<string, HashSet<string>>();
        while (select.Step())
        {
            (known.TryGetValue(select.Text(0), out HashSet<string>? cells) ? cells : known[select.Text(0)] = []).Add(select.Text(1));
        }

        return known;
    }
}
