using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Retention;

/// <summary>How far the compression of journals has come, in the order in which attempts ended.</summary>
internal readonly record struct CompressionMark(long EndedAt, long Fence);

/// <summary>The statements of the table journal_compression, and of the attempts that come next.</summary>
internal static class CompressionTable
{
    public static CompressionMark Read(StoreReader reader)
    {
        using Statement select = reader.Prepare("SELECT ended_at, fence FROM journal_compression");
        return select.Step() ? new CompressionMark(select.Int64(0), select.Int64(1)) : default;
    }

    public static void Write(StoreTransaction transaction, CompressionMark mark)
    {
        using Statement update = transaction
            .Prepare("UPDATE journal_compression SET ended_at = ?1, fence = ?2")
            .Bind(1, mark.EndedAt)
            .Bind(2, mark.Fence);
        update.Execute();
    }

    /// <summary>
    /// Attempts that ended after the mark and before a time, in order. What a person has set aside, or what is gone, is not among them.
    /// </summary>
    public static List<(CompressionMark Mark, AttemptId Id)> After(StoreReader reader, CompressionMark mark, long before, int limit)
    {
        using Statement select = reader
            .Prepare(
                "SELECT ended_at, fence, id FROM attempts WHERE ended_at IS NOT NULL AND journal_removed_at IS NULL AND ended_at >= ?1 AND ended_at < ?3 AND (ended_at, fence) > (?1, ?2) "
                    + "AND id NOT IN (SELECT attempt_id FROM recovery_quarantine) ORDER BY ended_at, fence LIMIT ?4"
            )
            .Bind(1, mark.EndedAt)
            .Bind(2, mark.Fence)
            .Bind(3, before)
            .Bind(4, limit);
        var found = new List<(CompressionMark, AttemptId)>();
        while (select.Step())
        {
            found.Add((new CompressionMark(select.Int64(0), select.Int64(1)), new AttemptId(select.Text(2))));
        }

        return found;
    }
}
