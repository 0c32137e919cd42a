using Holdfast.Engine.Store;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Executions;

/// <summary>One start of a job or one incarnation of a kernel, as stored. The fence only grows.</summary>
public sealed record Attempt(AttemptId Id, long Fence, string Nonce, string BootId, ExecutionId? ExecutionId, string? KernelId);

/// <summary>The statements of the attempts table.</summary>
internal static class AttemptsTable
{
    public static Attempt Insert(
        StoreTransaction transaction,
        AttemptId id,
        string host,
        string nonce,
        long at,
        ExecutionId? executionId,
        string? kernelId
    )
    {
        using Statement insert = transaction
            .Prepare(
                "INSERT INTO attempts (id, host, boot_id, execution_id, kernel_id, nonce, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
            )
            .Bind(1, id.Value)
            .Bind(2, host)
            .Bind(3, ProcessIdentity.BootIdNow)
            .Bind(4, executionId?.Value)
            .Bind(5, kernelId)
            .Bind(6, nonce)
            .Bind(7, at);
        return new Attempt(id, insert.ExecuteInsert(), nonce, ProcessIdentity.BootIdNow, executionId, kernelId);
    }

    public static void End(StoreTransaction transaction, AttemptId id, string verdict, long at)
    {
        using Statement update = transaction
            .Prepare("UPDATE attempts SET ended_at = ?2, verdict = ?3 WHERE id = ?1 AND ended_at IS NULL")
            .Bind(1, id.Value)
            .Bind(2, at)
            .Bind(3, verdict);
        update.Execute();
    }

    /// <summary>Kernels: up to where the journal has been stored and nothing is unfinished.</summary>
    public static void SaveReadFrom(StoreTransaction transaction, AttemptId id, long position)
    {
        using Statement update = transaction
            .Prepare("UPDATE attempts SET read_from = ?2 WHERE id = ?1")
            .Bind(1, id.Value)
            .Bind(2, position);
        update.Execute();
    }

    public static long ReadFrom(StoreReader reader, AttemptId id)
    {
        using Statement select = reader.Prepare("SELECT read_from FROM attempts WHERE id = ?1").Bind(1, id.Value);
        return select.Step() ? select.Int64(0) : 0;
    }

    /// <summary>Attempts whose end is not yet known, oldest first: what recovery has to look for.</summary>
    public static List<Attempt> Open(StoreReader reader)
    {
        using Statement select = reader.Prepare(
            "SELECT id, fence, nonce, boot_id, execution_id, kernel_id FROM attempts WHERE ended_at IS NULL ORDER BY fence"
        );
        var attempts = new List<Attempt>();
        while (select.Step())
        {
            attempts.Add(ReadRow(select));
        }

        return attempts;
    }

    /// <summary>Open attempts that nothing refers to: their execution or kernel is gone, is over, or has another one.</summary>
    public static List<AttemptId> Unused(StoreReader reader)
    {
        using Statement select = reader.Prepare(
            "SELECT a.id FROM attempts a LEFT JOIN executions e ON e.id = a.execution_id LEFT JOIN kernels k ON k.id = a.kernel_id WHERE a.ended_at IS NULL AND "
                + "((a.execution_id IS NOT NULL AND (e.id IS NULL OR e.finished_at IS NOT NULL OR e.attempt_id IS NOT a.id)) OR (a.kernel_id IS NOT NULL AND k.id IS NULL)) ORDER BY a.fence"
        );
        var ids = new List<AttemptId>();
        while (select.Step())
        {
            ids.Add(new AttemptId(select.Text(0)));
        }

        return ids;
    }

    /// <summary>Those of these ids that there is a row of, each with whether retention has let its folder go.</summary>
    public static Dictionary<string, bool> KnownAmong(StoreReader reader, IEnumerable<string> ids)
    {
        var known = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (string id in ids)
        {
            using Statement select = reader.Prepare("SELECT journal_removed_at IS NOT NULL FROM attempts WHERE id = ?1").Bind(1, id);
            if (select.Step())
            {
                known[id] = select.Bool(0);
            }
        }

        return known;
    }

    public static Attempt? Find(StoreReader reader, AttemptId id)
    {
        using Statement select = reader
            .Prepare("SELECT id, fence, nonce, boot_id, execution_id, kernel_id FROM attempts WHERE id = ?1")
            .Bind(1, id.Value);
        return select.Step() ? ReadRow(select) : null;
    }

    /// <summary>Whether it ended with this verdict.</summary>
    public static bool EndedAs(StoreReader reader, AttemptId id, string verdict)
    {
        using Statement select = reader.Prepare("SELECT 1 FROM attempts WHERE id = ?1 AND verdict = ?2").Bind(1, id.Value).Bind(2, verdict);
        return select.Step();
    }

    /// <summary>The incarnation of a kernel that came after the one with this fence; null when there is none yet.</summary>
    public static Attempt? Next(StoreReader reader, string kernelId, long fence)
    {
        using Statement select = reader
            .Prepare(
                "SELECT id, fence, nonce, boot_id, execution_id, kernel_id FROM attempts WHERE fence > ?1 AND kernel_id = ?2 ORDER BY fence LIMIT 1"
            )
            .Bind(1, fence)
            .Bind(2, kernelId);
        return select.Step() ? ReadRow(select) : null;
    }

    private static Attempt ReadRow(Statement row) =>
        new(
            new AttemptId(row.Text(0)),
            row.Int64(1),
            row.Text(2),
            row.Text(3),
            row.TextOrNull(4) is { } execution ? new ExecutionId(execution) : null,
            row.TextOrNull(5)
        );
}
