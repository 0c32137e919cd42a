using Holdfast.Engine.Store;

namespace Holdfast.Engine.Feed;

/// <summary>The statements of the feed table.</summary>
internal static class FeedTable
{
    public static long Append(StoreTransaction transaction, long at, string kind, string subject, string body)
    {
        using Statement insert = transaction
            .Prepare("INSERT INTO feed (at, kind, subject, body) VALUES (?1, ?2, ?3, ?4)")
            .Bind(1, at)
            .Bind(2, kind)
            .Bind(3, subject)
            .Bind(4, body);
        return insert.ExecuteInsert();
    }

    public static List<FeedEvent> ReadAfter(StoreReader reader, long position, string? subject, int limit)
    {
        using Statement select = reader
            .Prepare(
                "SELECT position, at, kind, subject, body FROM feed WHERE position > ?1 AND (?2 IS NULL OR subject = ?2) ORDER BY position LIMIT ?3"
            )
            .Bind(1, position)
            .Bind(2, subject)
            .Bind(3, limit);
        var events = new List<FeedEvent>();
        while (select.Step())
        {
            events.Add(new FeedEvent(select.Int64(0), select.Int64(1), select.Text(2), select.Text(3), select.Text(4)));
        }

        return events;
    }

    /// <summary>The oldest event that is kept; 0 when there is none.</summary>
    public static long FirstPosition(StoreReader reader)
    {
        using Statement select = reader.Prepare("SELECT coalesce(min(position), 0) FROM feed");
        return select.Step() ? select.Int64(0) : 0;
    }

    public static long LastPosition(StoreReader reader)
    {
        using Statement select = reader.Prepare("SELECT coalesce(max(position), 0) FROM feed");
        return select.Step() ? select.Int64(0) : 0;
    }
}
