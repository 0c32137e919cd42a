using Holdfast.Engine.Store;

namespace Holdfast.Engine.Executions;

/// <summary>How many executions are in a state.</summary>
public sealed record StateCount(string Kind, string State, long Count);

/// <summary>
/// Counts what has not ended, by partial indexes alone: the price depends on the open work, never on the million rows that have ended.
/// Those are counted when they end.
/// </summary>
internal static class OpenCounts
{
    // The words of each index, or SQLite does not see that it may be used.
    private const string Active =
        "SELECT kind, state, count(*) FROM executions WHERE state IN ('starting', 'running', 'paused') GROUP BY kind, state";

    private const string Pending =
        "SELECT kind, state, count(*) FROM executions WHERE state IN ('waiting', 'blocked') OR (kind = 'cell' AND state = 'queued') GROUP BY kind, state";

    private const string Queued = "SELECT count(*) FROM executions WHERE state = 'queued' AND kind = 'job'";
    private const string Oldest = "SELECT created_at FROM executions WHERE state = 'queued' AND kind = 'job' ORDER BY seq LIMIT 1";

    internal static string[] All => [Active, Pending, Queued, Oldest];

    /// <summary>By kind and state; what has none is left out, but for the jobs that are queued.</summary>
    public static List<StateCount> Read(StoreReader reader)
    {
        List<StateCount> counts = [new("job", "queued", Number(reader, Queued) ?? 0)];
        foreach (string sql in (string[])[Active, Pending])
        {
            using Statement select = reader.Prepare(sql);
            while (select.Step())
            {
                counts.Add(new StateCount(select.Text(0), select.Text(1), select.Int64(2)));
            }
        }

        return counts;
    }

    /// <summary>When the job was accepted that is next in the queue; null when there is none.</summary>
    public static long? OldestQueued(StoreReader reader) => Number(reader, Oldest);

    private static long? Number(StoreReader reader, string sql)
    {
        using Statement select = reader.Prepare(sql);
        return select.Step() ? select.Int64(0) : null;
    }
}
