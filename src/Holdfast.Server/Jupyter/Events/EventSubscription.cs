using System.Threading.Channels;
using Holdfast.Engine.Feed;

namespace Holdfast.Server.Jupyter.Events;

/// <summary>
/// What one subscriber has still to be sent. It is bounded: one that does not read is cut off, rather than told less than there was.
/// </summary>
internal sealed class EventSubscription : IDisposable
{
    /// <summary>Some hundred kilobytes; more than a front end that reads ever has waiting.</summary>
    private const int WaitingMax = 1024;

    private readonly EventBoard _board;
    private readonly FeedLog _feed;
    private readonly Channel<byte[]> _waiting = Channel.CreateBounded<byte[]>(WaitingMax);

    public EventSubscription(EventBoard board, FeedLog feed)
    {
        (_board, _feed) = (board, feed);
        _board.Posted += Add;
        _feed.Published += Add;
    }

    /// <summary>Completed when the subscriber lags too far.</summary>
    public ChannelReader<byte[]> Waiting => _waiting.Reader;

    public void Dispose()
    {
        _board.Posted -= Add;
        _feed.Published -= Add;
        _waiting.Writer.TryComplete();
    }

    private void Add(FeedEvent change)
    {
        if (change.Kind.StartsWith("kernel.", StringComparison.Ordinal) && KernelAction.Of(change) is { } text)
        {
            Add(text);
        }
    }

    private void Add(byte[] text)
    {
        if (!_waiting.Writer.TryWrite(text))
        {
            _waiting.Writer.TryComplete();
        }
    }
}
