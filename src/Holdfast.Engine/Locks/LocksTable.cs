using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Locks;

/// <summary>The statements of the tables lock_entries and lock_claims.</summary>
internal static class LocksTable
{
    public static long Enter(StoreTransaction transaction, ExecutionId id, IReadOnlyList<string> names, long at)
    {
        long place;
        using (
            Statement entry = transaction
                .Prepare("INSERT INTO lock_entries (execution_id, entered_at) VALUES (?1, ?2)")
                .Bind(1, id.Value)
                .Bind(2, at)
        )
        {
            place = entry.ExecuteInsert();
        }

        foreach (string name in names)
        {
            using Statement claim = transaction
                .Prepare("INSERT INTO lock_claims (name, place) VALUES (?1, ?2)")
                .Bind(1, name)
                .Bind(2, place);
            claim.Execute();
        }

        return place;
    }

    public static long? PlaceOf(StoreReader reader, ExecutionId id)
    {
        using Statement select = reader.Prepare("SELECT place FROM lock_entries WHERE execution_id = ?1").Bind(1, id.Value);
        return select.Step() ? select.Int64(0) : null;
    }

    public static List<string> NamesOf(StoreReader reader, long place)
    {
        using Statement select = reader.Prepare("SELECT name FROM lock_claims WHERE place = ?1 ORDER BY name").Bind(1, place);
        return Texts(select);
    }

    /// <summary>
    /// Who stands first in a line: its place, its execution, and whether it was granted its locks. Null when nobody stands there.
    /// </summary>
    public static (long Place, ExecutionId Id, bool IsGranted)? First(StoreReader reader, string name)
    {
        using Statement select = reader
            .Prepare(
                "SELECT e.place, e.execution_id, e.granted_at IS NOT NULL FROM lock_claims c JOIN lock_entries e ON e.place = c.place WHERE c.name = ?1 ORDER BY c.place LIMIT 1"
            )
            .Bind(1, name);
        return select.Step() ? (select.Int64(0), new ExecutionId(select.Text(1)), select.Int64(2) != 0) : null;
    }

    /// <summary>The names of a place's lines in which somebody stands before it; none when it may have its locks.</summary>
    public static List<string> WaitsFor(StoreReader reader, long place)
    {
        using Statement select = reader
            .Prepare(
                "SELECT c.name FROM lock_claims c WHERE c.place = ?1 AND EXISTS (SELECT 1 FROM lock_claims o WHERE o.name = c.name AND o.place < ?1) ORDER BY c.name"
            )
            .Bind(1, place);
        return Texts(select);
    }

    public static void Grant(StoreTransaction transaction, long place, long at)
    {
        using Statement update = transaction.Prepare("UPDATE lock_entries SET granted_at = ?2 WHERE place = ?1").Bind(1, place).Bind(2, at);
        update.Execute();
    }

    public static void Leave(StoreTransaction transaction, long place)
    {
        using (Statement claims = transaction.Prepare("DELETE FROM lock_claims WHERE place = ?1").Bind(1, place))
        {
            claims.Execute();
        }

        using Statement entry = transaction.Prepare("DELETE FROM lock_entries WHERE place = ?1").Bind(1, place);
        entry.Execute();
    }

    public static void LeaveOne(StoreTransaction transaction, long place, string name)
    {
        using Statement claim = transaction.Prepare("DELETE FROM lock_claims WHERE place = ?1 AND name = ?2").Bind(1, place).Bind(2, name);
        claim.Execute();
    }

    public static List<LockLine> Lines(StoreReader reader)
    {
        using Statement select = reader.Prepare(
            "SELECT c.name, c.place, e.execution_id, e.granted_at IS NOT NULL FROM lock_claims c JOIN lock_entries e ON e.place = c.place ORDER BY c.name, c.place"
        );
        var lines = new List<LockLine>();
        var waiting = new List<ExecutionId>();
        while (select.Step())
        {
            string name = select.Text(0);
            var id = new ExecutionId(select.Text(2));
            bool isHolder = select.Int64(3) != 0;
            if (lines.Count == 0 || lines[^1].Name != name)
            {
                waiting = [];
                lines.Add(new LockLine(name, isHolder ? id : null, isHolder ? select.Int64(1) : null, waiting));
            }

            if (!isHolder)
            {
                waiting.Add(id);
            }
        }

        return lines;
    }

    public static LockCount Count(StoreReader reader)
    {
        using Statement select = reader.Prepare(
            "SELECT (SELECT count(*) FROM lock_entries e JOIN lock_claims c ON c.place = e.place WHERE e.granted_at IS NOT NULL), (SELECT count(*) FROM lock_entries WHERE granted_at IS NULL)"
        );
        return select.Step() ? new LockCount(select.Int64(0), select.Int64(1)) : new LockCount(0, 0);
    }

    /// <summary>Those who stand in line although they have ended, or are not known at all.</summary>
    public static List<ExecutionId> Ended(StoreReader reader)
    {
        using Statement select = reader.Prepare(
            "SELECT l.execution_id FROM lock_entries l LEFT JOIN executions e ON e.id = l.execution_id WHERE e.id IS NULL OR e.finished_at IS NOT NULL ORDER BY l.place"
        );
        return Texts(select).ConvertAll(static id => new ExecutionId(id));
    }

    /// <summary>Those who wait although nobody stands before them in any of their lines.</summary>
    public static List<(long Place, ExecutionId Id)> FirstInAll(StoreReader reader)
    {
        using Statement select = reader.Prepare(
            "SELECT l.place, l.execution_id FROM lock_entries l WHERE l.granted_at IS NULL AND NOT EXISTS ("
                + "SELECT 1 FROM lock_claims c JOIN lock_claims o ON o.name = c.name AND o.place < c.place WHERE c.place = l.place) ORDER BY l.place"
        );
        var rows = new List<(long, ExecutionId)>();
        while (select.Step())
        {
            rows.Add((select.Int64(0), new ExecutionId(select.Text(1))));
        }

        return rows;
    }

    public static int CountEntries(StoreReader reader, bool isGranted)
    {
        using Statement select = reader.Prepare("SELECT count(*) FROM lock_entries WHERE (granted_at IS NOT NULL) = ?1").Bind(1, isGranted);
        return select.Step() ? (int)select.Int64(0) : 0;
    }

    private static List<string> Texts(Statement select)
    {
        var texts = new List<string>();
        while (select.Step())
        {
            texts.Add(select.Text(0));
        }

        return texts;
    }
}
