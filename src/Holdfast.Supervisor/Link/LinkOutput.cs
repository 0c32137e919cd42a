using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Link;

/// <summary>
/// What goes out to one peer, in its order of right: the rest of the journal frame that is being sent, messages, news of the journal's
/// growth, more of the journal. Each is made only when everything before has been taken by the socket, so a slow peer costs one bounded
/// buffer and slows nobody down.
/// </summary>
internal sealed unsafe class LinkOutput : IDisposable
{
    private const int JournalFrameBytes = 256 * 1024;

    /// <summary>Bytes per turn of the loop, so that a fast follower does not keep the child's pipes waiting.</summary>
    private const int TurnBytes = 1024 * 1024;

    /// <summary>
    /// Growth is told at once, and then at most this often: a child that writes a thousand lines one by one costs no thousand messages.
    /// </summary>
    private const int AppendedIntervalMs = 2;

    private readonly PollLoop _loop;
    private readonly Work _work;
    private readonly int _socket;
    private readonly ByteQueue _messages = new();

    /// <summary>Head of the journal frame that is being sent; nothing may come between it and its body.</summary>
    private readonly ByteQueue _frameHead = new();

    private int _frameBodyLeft;
    private JournalStream? _stream;

    /// <summary>What <see cref="_stream"/> becomes when the frame that is being sent has ended; null for nothing.</summary>
    private JournalStream? _nextStream;

    private bool _isStreamReplaced;
    private LoopTimer? _appendedTimer; // Null while growth is not told.
    private string _toldAttempt = "";
    private long _toldPosition;
    private long _toldAtMs = long.MinValue / 2; // By the loop's clock: growth was told last.

    public LinkOutput(PollLoop loop, Work work, int socket) => (_loop, _work, _socket) = (loop, work, socket);

    /// <summary>Messages that the socket has not taken.</summary>
    public int UnreadBytes => _messages.Length;

    /// <summary>Held up by the socket, or by what one turn may send.</summary>
    public bool IsBlocked { get; private set; }

    /// <summary>The peer is gone, or cannot be sent what it was promised.</summary>
    public bool IsBroken { get; private set; }

    private bool IsInFrame => _frameHead.Length > 0 || _frameBodyLeft > 0;

    public void Add(LinkMessage message)
    {
        LinkCodec.Write(_messages, message);
        if (message.Type == LinkMessageType.Exited && message.Attempt is { } attempt)
        {
            // It carries the final position, after which growth has nothing to add.
            _toldAttempt = attempt;
            _toldPosition = message.Position;
        }
    }

    /// <summary>Growth is told from here on.</summary>
    public void Watch() => _appendedTimer ??= _loop.AddTimer(TellGrowthNow); // And the batch's end tells it.

    /// <summary>Growth need not wait for its interval.</summary>
    public void TellGrowthNow()
    {
        _appendedTimer?.Stop();
        _toldAtMs = long.MinValue / 2;
    }

    /// <summary>What has just been written nobody waits for: it is told with what comes next, or after the usual pause.</summary>
    public void TellGrowthLater() => _toldAtMs = _loop.NowMs;

    /// <summary>Sends this stream instead of the present one, when the frame that is being sent has ended; null for none.</summary>
    public void Follow(JournalStream? stream)
    {
        _nextStream?.Dispose();
        _nextStream = stream;
        _isStreamReplaced = true;
    }

    /// <summary>Sends as much as the socket takes and a turn allows.</summary>
    public void Flush()
    {
        int budget = TurnBytes;
        bool isFull = false;
        while (!isFull && !IsBroken && budget > 0 && HasMore())
        {
            isFull = !SendSome(ref budget);
        }

        IsBlocked = isFull || budget <= 0;
    }

    public void Dispose()
    {
        _appendedTimer?.Remove();
        _stream?.Dispose();
        _nextStream?.Dispose();
    }

    /// <summary>Makes ready the next thing to send.</summary>
    private bool HasMore()
    {
        if (IsInFrame || _messages.Length > 0)
        {
            return true;
        }

        if (_isStreamReplaced)
        {
            _isStreamReplaced = false;
            _stream?.Dispose();
            (_stream, _nextStream) = (_nextStream, null);
        }

        return TryTellGrowth() || TryBeginFrame();
    }

    private bool TryTellGrowth()
    {
        if (_appendedTimer is null)
        {
            return false;
        }

        if (!ReferenceEquals(_toldAttempt, _work.Attempt) && _toldAttempt != _work.Attempt)
        {
            _toldAttempt = _work.Attempt;
            _toldPosition = 0;
        }

        long position = _work.JournalPosition;
        if (position <= _toldPosition || _appendedTimer.IsArmed)
        {
            return false;
        }

        // The timer runs only while there is something to tell: else each piece of news would wake us once more, for nothing, in the middle
        // of a cell.
        long now = _loop.NowMs;
        if (now - _toldAtMs < AppendedIntervalMs)
        {
            _appendedTimer.Start(_toldAtMs + AppendedIntervalMs - now);
            return false;
        }

        _toldPosition = position;
        _toldAtMs = now;
        LinkCodec.Write(
            _messages,
            new LinkMessage
            {
                Type = LinkMessageType.Appended,
                Attempt = _work.Attempt,
                Position = position,
            }
        );
        return true;
    }

    private bool TryBeginFrame()
    {
        if (_stream is not { IsEndTold: false } stream)
        {
            return false;
        }

        bool isCurrent = stream.AttemptDirectory == _work.Directory;
        bool isComplete = isCurrent ? _work.IsJournalComplete : File.Exists(new AttemptFiles(stream.AttemptDirectory).Exit);
        int available = stream.Available(isCurrent ? _work.JournalPosition : -1, JournalFrameBytes);
        if (available == 0 && !isComplete)
        {
            return false;
        }

        stream.IsEndTold = available == 0;
        _frameBodyLeft = available;
        var message = new LinkMessage
        {
            Type = LinkMessageType.Journal,
            Position = stream.Position,
            End = stream.IsEndTold,
        };
        LinkCodec.WriteHead(_frameHead, message, available);
        return true;
    }

    /// <summary>One write; false when the socket takes no more now.</summary>
    private bool SendSome(ref int budget)
    {
        nint sent;
        if (_frameHead.Length > 0)
        {
            sent = SendFrom(_frameHead, _frameBodyLeft > 0);
        }
        else if (_frameBodyLeft > 0)
        {
            sent = _stream!.SendTo(_socket, _frameBodyLeft);
            if (sent == 0)
            {
                SupervisorLog.Write("closed a link: its journal became shorter while it was sent");
                IsBroken = true;
                return false;
            }

            _frameBodyLeft -= (int)Math.Max(0, sent);
        }
        else
        {
            sent = SendFrom(_messages, hasMore: false);
        }

        if (sent >= 0)
        {
            budget -= (int)sent;
            return true;
        }

        if (Libc.Errno == Libc.Eintr)
        {
            return true;
        }

        IsBroken = Libc.Errno != Libc.Eagain;
        return false;
    }

    private nint SendFrom(ByteQueue queue, bool hasMore)
    {
        nint sent;
        fixed (byte* start = queue.Content.Span)
        {
            sent = Posix.Send(_socket, start, (nuint)queue.Length, Posix.NoSignal | (hasMore ? Posix.MoreToCome : 0));
        }

        if (sent > 0)
        {
            queue.Take((int)sent);
        }

        return sent;
    }
}
