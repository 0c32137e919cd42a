using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>
/// A row of reactive_edits: an edited cell, or one that a client ran past the cascades, whose consequences are not settled.
/// </summary>
internal sealed record ReactiveEdit(CellId Cell, ExecutionId? Execution);

/// <summary>The statements of the reactive_edits table.</summary>
internal static class ReactiveEditsTable
{
    /// <summary>An edit that came after a client's run says what the cell is to be, and the run no more.</summary>
    public static void Put(StoreTransaction transaction, string path, CellId cell) => Put(transaction, path, cell.Value, null);

    /// <summary>The cell has to be looked at; what a client ran of it stands.</summary>
    public static void Note(StoreTransaction transaction, string path, CellId cell)
    {
        using Statement insert = transaction
            .Prepare("INSERT OR IGNORE INTO reactive_edits (path, cell_id) VALUES (?1, ?2)")
            .Bind(1, path)
            .Bind(2, cell.Value);
        insert.Execute();
    }

    /// <summary>A client's execution is over; of which cell, it may not have said.</summary>
    public static void PutRun(StoreTransaction transaction, string path, Execution execution) =>
        Put(transaction, path, execution.CellId ?? execution.Id.Value, execution.Id.Value);

    /// <summary>The cell runs anew: what a client ran of it before is gone from the kernel.</summary>
    public static void ForgetRun(StoreTransaction transaction, string path, CellId cell)
    {
        using Statement update = transaction
            .Prepare("UPDATE reactive_edits SET execution_id = NULL WHERE path = ?1 AND cell_id = ?2")
            .Bind(1, path)
            .Bind(2, cell.Value);
        update.Execute();
    }

    public static void Remove(StoreTransaction transaction, string path, CellId cell)
    {
        using Statement delete = transaction
            .Prepare("DELETE FROM reactive_edits WHERE path = ?1 AND cell_id = ?2")
            .Bind(1, path)
            .Bind(2, cell.Value);
        delete.Execute();
    }

    /// <summary>All edits are settled. Runs that were not looked at stay.</summary>
    public static void Clear(StoreTransaction transaction, string path)
    {
        using Statement delete = transaction.Prepare("DELETE FROM reactive_edits WHERE path = ?1 AND execution_id IS NULL").Bind(1, path);
        delete.Execute();
    }

    public static List<ReactiveEdit> Of(StoreReader reader, string path)
    {
        using Statement select = reader.Prepare("SELECT cell_id, execution_id FROM reactive_edits WHERE path = ?1").Bind(1, path);
        var edits = new List<ReactiveEdit>();
        while (select.Step())
        {
            edits.Add(
                new ReactiveEdit(new CellId(select.Text(0)), select.TextOrNull(1) is { } execution ? new ExecutionId(execution) : null)
            );
        }

        return edits;
    }

    /// <summary>The notebooks that have any.</summary>
    public static List<string> Paths(StoreReader reader)
    {
        using Statement select = reader.Prepare("SELECT DISTINCT path FROM reactive_edits ORDER BY path");
        var paths = new List<string>();
        while (select.Step())
        {
            paths.Add(select.Text(0));
        }

        return paths;
    }

    private static void Put(StoreTransaction transaction, string path, string cell, string? execution)
    {
        using Statement insert = transaction
            .Prepare("INSERT OR REPLACE INTO reactive_edits (path, cell_id, execution_id) VALUES (?1, ?2, ?3)")
            .Bind(1, path)
            .Bind(2, cell)
            .Bind(3, execution);
        insert.Execute();
    }
}
