using System.Text.Json;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Recovery;

/// <summary>The statements of the table recovery_starts: one row for each start-up, of which the last ones are kept.</summary>
internal static class RecoveryStartsTable
{
    public const int Kept = 21; // This one and twenty before it.

    public static long Begin(StoreTransaction transaction, long at)
    {
        using Statement insert = transaction.Prepare("INSERT INTO recovery_starts (started_at) VALUES (?1)").Bind(1, at);
        return insert.ExecuteInsert();
    }

    public static void Progress(StoreTransaction transaction, long id, string phase)
    {
        using Statement update = transaction.Prepare("UPDATE recovery_starts SET last_phase = ?2 WHERE id = ?1").Bind(1, id).Bind(2, phase);
        update.Execute();
    }

    public static void Finish(StoreTransaction transaction, long id, long at, RecoveryReport report)
    {
        using (
            Statement update = transaction
                .Prepare("UPDATE recovery_starts SET finished_at = ?2, report = ?3 WHERE id = ?1")
                .Bind(1, id)
                .Bind(2, at)
                .Bind(3, JsonSerializer.Serialize(report, RecoveryJson.Default.RecoveryReport))
        )
        {
            update.Execute();
        }

        using Statement trim = transaction.Prepare("DELETE FROM recovery_starts WHERE id <= ?1").Bind(1, id - Kept);
        trim.Execute();
    }

    /// <summary>The start-ups before this one that did not come to an end, back to the last that did.</summary>
    public static List<InterruptedStart> InterruptedBefore(StoreReader reader, long id)
    {
        using Statement select = reader
            .Prepare(
                "SELECT started_at, last_phase FROM recovery_starts WHERE id < ?1 AND id > coalesce((SELECT max(id) FROM recovery_starts WHERE id < ?1 AND finished_at IS NOT NULL), 0) ORDER BY id DESC"
            )
            .Bind(1, id);
        var interrupted = new List<InterruptedStart>();
        while (select.Step())
        {
            interrupted.Add(new InterruptedStart(select.Int64(0), select.TextOrNull(1)));
        }

        return interrupted;
    }

    /// <summary>The start-ups before this one, latest first; of one that was interrupted only when it began.</summary>
    public static List<RecoveryReport> Before(StoreReader reader, long id)
    {
        using Statement select = reader
            .Prepare("SELECT started_at, report FROM recovery_starts WHERE id < ?1 ORDER BY id DESC LIMIT ?2")
            .Bind(1, id)
            .Bind(2, Kept - 1);
        var reports = new List<RecoveryReport>();
        while (select.Step())
        {
            reports.Add(
                Read(select.TextOrNull(1))
                    ?? new RecoveryReport
                    {
                        IsComplete = false,
                        StartedAt = select.Int64(0),
                        Milliseconds = 0,
                        Phases = [],
                        Attempts = [],
                        Queued = 0,
                    }
            );
        }

        return reports;
    }

    /// <summary>Null for one that cannot be read: an old report is no reason to refuse the others.</summary>
    private static RecoveryReport? Read(string? report)
    {
        try
        {
            return report is null ? null : JsonSerializer.Deserialize(report, RecoveryJson.Default.RecoveryReport);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
