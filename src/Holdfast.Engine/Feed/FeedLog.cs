using System.Buffers;
using System.Text;
using System.Text.Json;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Feed;

/// <summary>
/// The spine: a change and its event are stored in one transaction, and whatever follows from it (dispatch, waking waiters, telling
/// followers) happens because the event is published after the commit. Nothing is published that was not committed.
/// </summary>
public sealed class FeedLog(StateStore store, TimeProvider time)
{
    private volatile TaskCompletionSource _grown = NewSignal();

    /// <summary>Raised once per committed event, in order, one at a time. Handlers only take note: they neither wait nor write.</summary>
    public event Action<FeedEvent>? Published;

    /// <summary>The time that an event has which is written now, in microseconds.</summary>
    public long Now => time.NowMicroseconds();

    /// <summary>Adds an event to the transaction that makes it true.</summary>
    public void Append(StoreTransaction transaction, string kind, string subject, Action<Utf8JsonWriter> writeBody)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writeBody(writer);
            writer.WriteEndObject();
        }

        string body = Encoding.UTF8.GetString(buffer.WrittenSpan);
        long at = Now;
        long position = FeedTable.Append(transaction, at, kind, subject, body);
        var published = new FeedEvent(position, at, kind, subject, body);
        transaction.OnCommitted(() => Publish(published));
    }

    /// <summary>Committed events after a position, oldest first, at most <paramref name="limit"/>.</summary>
    public IReadOnlyList<FeedEvent> ReadAfter(long position, string? subject, int limit) =>
        store.Read(reader => FeedTable.ReadAfter(reader, position, subject, limit));

    /// <summary>The position of the oldest event that is kept: a follower that stands before it has missed some.</summary>
    public long FirstPosition => store.Read(FeedTable.FirstPosition);

    public long LastPosition => store.Read(FeedTable.LastPosition);

    /// <summary>Completes when the feed has grown since the call. Take it before reading, so that nothing slips between.</summary>
    public Task Growth => _grown.Task;

    private void Publish(FeedEvent published)
    {
        try
        {
            Published?.Invoke(published);
        }
        finally
        {
            Interlocked.Exchange(ref _grown, NewSignal()).TrySetResult();
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
