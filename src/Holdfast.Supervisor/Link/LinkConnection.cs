using System.Runtime.CompilerServices;
using Holdfast.Protocol;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Link;

/// <summary>
/// One peer. 1. Within five seconds it says hello with the nonce and a protocol we speak, or it is closed. 2. Its requests are answered in order,
/// and are not read while it leaves our answers unread. 3. Between messages it is told the journal's growth and sent the journal's bytes, each
/// only when everything before has been taken by the socket: so a slow peer costs one bounded buffer and slows nobody down.
/// </summary>
public sealed unsafe class LinkConnection : IDisposable
{
    private const int HelloTimeoutMs = 5000;
    private const int HelloBytesMax = 64 * 1024;
    private const int ReadBytes = 16 * 1024;
    private const int JournalFrameBytes = 256 * 1024;

    /// <summary>Unread answers past which no more requests are read.</summary>
    private const int UnreadBytesSoft = 256 * 1024;

    /// <summary>Unread notices past which the peer is given up; it can come back and is told the state.</summary>
    private const int UnreadBytesMax = 1024 * 1024;

    /// <summary>Bytes of journal per turn of the loop, so that a fast follower does not keep the child's pipes waiting.</summary>
    private const int TurnBytes = 1024 * 1024;

    /// <summary>Growth is told at once, and then at most this often: a child that writes a thousand lines one by one costs no thousand messages.</summary>
    private const int AppendedIntervalMs = 2;

    private readonly LinkServer _server;
    private readonly int _fd;
    private readonly PollRegistration _registration;
    private readonly ByteQueue _incoming = new();
    private readonly ByteQueue _outgoing = new();

    /// <summary>Head of the journal frame that is being sent; nothing may come between it and its body.</summary>
    private readonly ByteQueue _frameHead = new();

    private LoopTimer? _helloTimer;
    private LoopTimer? _appendedTimer;
    private JournalStream? _stream;

    /// <summary>What <see cref="_stream"/> becomes when the frame that is being sent has ended; null for nothing.</summary>
    private JournalStream? _nextStream;

    private bool _isStreamReplaced;
    private int _frameBodyLeft;
    private bool _isWatching;
    private string _toldAttempt = "";
    private long _toldPosition;
    private long _toldAtMs = long.MinValue / 2; // By the loop's clock: growth was told last.
    private bool _isBlocked;
    private bool _isClosed;

    internal LinkConnection(LinkServer server, int fd)
    {
        _server = server;
        _fd = fd;
        _registration = server.Loop.Add(fd, PollEvents.Readable, OnEvents);
        _helloTimer = server.Loop.AddTimer(Close);
        _helloTimer.Start(HelloTimeoutMs);
    }

    /// <summary>Its hello was accepted, and it is told notices.</summary>
    public bool IsGreeted { get; private set; }

    private bool IsInFrame => _frameHead.Length > 0 || _frameBodyLeft > 0;

    /// <summary>Puts a message on its way; it leaves at the end of the loop's present batch.</summary>
    public void Send(LinkMessage message)
    {
        if (_isClosed)
        {
            return;
        }

        LinkCodec.Write(_outgoing, message);
        if (message.Type == LinkMessageType.Exited && message.Attempt is { } attempt)
        {
            // It carries the final position, after which growth has nothing to add.
            _toldAttempt = attempt;
            _toldPosition = message.Position;
        }

        if (_outgoing.Length > UnreadBytesMax)
        {
            SupervisorLog.Write("closed a link whose peer does not read");
            Close();
        }
    }

    public void Dispose() => Close();

    /// <summary>At the end of a batch. A peer whose socket is full is not tried again before the loop says that it takes more.</summary>
    internal void FlushUnlessBlocked()
    {
        if (!_isBlocked)
        {
            Flush();
        }
    }

    internal void TellGrowthNow()
    {
        _appendedTimer?.Stop();
        _toldAtMs = long.MinValue / 2;
    }

    /// <summary>What has just been written nobody waits for: it is told with what comes next, or after the usual pause.</summary>
    internal void TellGrowthLater() => _toldAtMs = _server.Loop.NowMs;

    internal void Close()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        _registration.Remove();
        _helloTimer?.Remove();
        _appendedTimer?.Remove();
        _stream?.Dispose();
        _nextStream?.Dispose();
        _ = Libc.Close(_fd);
        _server.Closed(this);
    }

    private void OnEvents(PollEvents happened)
    {
        if ((happened & PollEvents.Writable) != 0)
        {
            Flush();
        }

        if ((happened & (PollEvents.Readable | PollEvents.Error)) != 0 && !_isClosed)
        {
            Receive();
        }
    }

    // Sending.

    private void Flush()
    {
        int budget = TurnBytes;
        bool isFull = false;
        while (!_isClosed && !isFull && budget > 0 && HasMore())
        {
            isFull = !SendSome(ref budget);
        }

        if (_isClosed)
        {
            return;
        }

        // The loop comes by after every batch; only what the socket, or the budget, holds up has to be called for.
        _isBlocked = isFull || budget <= 0;
        bool wantsReadable = _outgoing.Length < UnreadBytesSoft;
        _registration.Events = (wantsReadable ? PollEvents.Readable : PollEvents.None) | (_isBlocked ? PollEvents.Writable : PollEvents.None);
    }

    /// <summary>Makes ready the next thing to send, in their order of right: the frame begun, messages, news of growth, journal bytes.</summary>
    private bool HasMore()
    {
        if (IsInFrame || _outgoing.Length > 0)
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
        Work work = _server.Work;
        if (!_isWatching)
        {
            return false;
        }

        if (!ReferenceEquals(_toldAttempt, work.Attempt) && _toldAttempt != work.Attempt)
        {
            _toldAttempt = work.Attempt;
            _toldPosition = 0;
        }

        long position = work.JournalPosition;
        if (position <= _toldPosition || _appendedTimer!.IsArmed)
        {
            return false;
        }

        // The timer runs only while there is something to tell: else each piece of news would wake us once more, for nothing, in the middle of a cell.
        long now = _server.Loop.NowMs;
        if (now - _toldAtMs < AppendedIntervalMs)
        {
            _appendedTimer.Start(_toldAtMs + AppendedIntervalMs - now);
            return false;
        }

        _toldPosition = position;
        _toldAtMs = now;
        LinkCodec.Write(_outgoing, new LinkMessage { Type = LinkMessageType.Appended, Attempt = work.Attempt, Position = position });
        return true;
    }

    private bool TryBeginFrame()
    {
        if (_stream is not { IsEndTold: false } stream)
        {
            return false;
        }

        bool isCurrent = stream.AttemptDirectory == _server.Work.Directory;
        bool isComplete = isCurrent ? _server.Work.IsJournalComplete : File.Exists(new AttemptFiles(stream.AttemptDirectory).Exit);
        int available = stream.Available(isCurrent ? _server.Work.JournalPosition : -1, JournalFrameBytes);
        if (available == 0 && !isComplete)
        {
            return false;
        }

        stream.IsEndTold = available == 0;
        _frameBodyLeft = available;
        var message = new LinkMessage { Type = LinkMessageType.Journal, Position = stream.Position, End = stream.IsEndTold };
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
            sent = _stream!.SendTo(_fd, _frameBodyLeft);
            if (sent == 0)
            {
                SupervisorLog.Write("closed a link: its journal became shorter while it was sent");
                Close();
                return false;
            }

            _frameBodyLeft -= (int)Math.Max(0, sent);
        }
        else
        {
            sent = SendFrom(_outgoing, hasMore: false);
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

        if (Libc.Errno != Libc.Eagain)
        {
            Close();
        }

        return false;
    }

    private nint SendFrom(ByteQueue queue, bool hasMore)
    {
        nint sent;
        fixed (byte* start = queue.Content.Span)
        {
            sent = Posix.Send(_fd, start, (nuint)queue.Length, Posix.NoSignal | (hasMore ? Posix.MoreToCome : 0));
        }

        if (sent > 0)
        {
            queue.Take((int)sent);
        }

        return sent;
    }

    // Receiving.

    private void Receive()
    {
        _ = LinkCodecNeeds(out int needed);
        Span<byte> room = _incoming.GetSpan(Math.Max(ReadBytes, needed - _incoming.Length));
        nint received;
        fixed (byte* start = room)
        {
            received = Libc.Read(_fd, start, (nuint)room.Length);
        }

        if (received <= 0)
        {
            if (received == 0 || (Libc.Errno != Libc.Eagain && Libc.Errno != Libc.Eintr))
            {
                Close();
            }

            return;
        }

        _incoming.Advance((int)received);
        try
        {
            TakeFrames();
        }
        catch (LinkFormatException e)
        {
            SupervisorLog.Write("closed a link: " + e.Message);
            Close();
        }
    }

    private bool LinkCodecNeeds(out int needed)
    {
        needed = 0;
        if (_incoming.Length < sizeof(uint))
        {
            return false;
        }

        // Judged by TakeFrames already, so it is within the limits.
        needed = (int)System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(_incoming.Content.Span) + sizeof(uint);
        return true;
    }

    private void TakeFrames()
    {
        while (!_isClosed && LinkCodec.TryRead(_incoming.Content, out LinkMessage? message, out int consumed, out _))
        {
            Handle(message!);
            _incoming.Take(consumed);
        }

        if (!IsGreeted && _incoming.Length > 0 && LinkCodecNeeds(out int needed) && needed > HelloBytesMax)
        {
            throw new LinkFormatException("A hello is not that long.");
        }
    }

    private void Handle(LinkMessage message)
    {
        var request = new LinkRequest(this, message);
        if (!IsGreeted)
        {
            Greet(request);
            return;
        }

        try
        {
            HandleGreeted(request);
        }
        catch (Exception e)
        {
            // One request that fails, by a bug or by the disk, must not take the work with it.
            SupervisorLog.Write($"request {message.Type} failed: {e}");
            request.Refuse(LinkCodes.Failed, e.Message);
        }
    }

    /// <summary>A request can arrive when its attempt has ended and the next one has begun, which must not be stopped in its place. To run names the attempt to come.</summary>
    private bool IsMeantForAnother(LinkMessage message) =>
        message.Type != LinkMessageType.Run && message.Attempt is { } attempt && attempt != _server.Work.Attempt;

    private void HandleGreeted(LinkRequest request)
    {
        LinkMessage message = request.Message;
        switch (message.Type)
        {
            case LinkMessageType.Ping:
                request.Done();
                break;
            case LinkMessageType.Watch:
                _isWatching = true;
                _appendedTimer ??= _server.Loop.AddTimer(TellGrowthNow); // And the batch's end tells it.
                request.Done();
                break;
            case LinkMessageType.Follow:
                Follow(request);
                break;
            case LinkMessageType.Unfollow:
                Replace(null);
                request.Done();
                break;
            case > LinkMessageType.Hello and < LinkMessageType.Welcome when IsMeantForAnother(message):
                request.Refuse(LinkCodes.NotRunning, $"It was meant for the attempt {message.Attempt}, which is over here.");
                break;
            case > LinkMessageType.Hello and < LinkMessageType.Welcome:
                _server.Work.Handle(request);
                break;
            default:
                request.Refuse(LinkCodes.UnknownRequest, $"This supervisor does not know requests of type {(int)message.Type}.");
                break;
        }
    }

    private void Follow(LinkRequest request)
    {
        string directory = request.Message.Directory ?? _server.Work.Directory;
        if (request.Message.Position < 0 || !Directory.Exists(new AttemptFiles(directory).Journal))
        {
            request.Refuse(LinkCodes.NoJournal, $"There is no journal in {directory} to follow.");
            return;
        }

        Replace(new JournalStream(directory, request.Message.Position));
        request.Done();
    }

    private void Replace(JournalStream? stream)
    {
        _nextStream?.Dispose();
        _nextStream = stream;
        _isStreamReplaced = true;
    }

    private void Greet(LinkRequest request)
    {
        LinkMessage hello = request.Message;
        Work work = _server.Work;
        if (hello.Type != LinkMessageType.Hello)
        {
            SupervisorLog.Write($"closed a link that began with {hello.Type} and not with hello");
            Close();
        }
        else if (!IsSame(hello.Nonce ?? "", work.Nonce))
        {
            RefuseAndClose(request, LinkCodes.NonceMismatch, "The nonce is not that of the attempt held here.");
        }
        else if (hello.Protocol < LinkCodec.ProtocolVersionMin)
        {
            RefuseAndClose(
                request,
                LinkCodes.ProtocolUnsupported,
                $"This supervisor speaks protocols {LinkCodec.ProtocolVersionMin} to {LinkCodec.ProtocolVersion}, the peer at most {hello.Protocol}.");
        }
        else
        {
            Welcome(hello);
        }
    }

    private void Welcome(LinkMessage hello)
    {
        _helloTimer?.Remove();
        _helloTimer = null;
        Work work = _server.Work;
        ProcessIdentity self = SupervisorIdentity.Current;
        Send(new LinkMessage
        {
            Type = LinkMessageType.Welcome, Id = hello.Id, Protocol = Math.Min(hello.Protocol, LinkCodec.ProtocolVersion),
            Version = HoldfastVersion.Text, Mode = work.Mode, State = work.State, Capabilities = work.Capabilities, BootId = self.BootId,
            Pid = self.Pid, StartTicks = self.StartTicks, Attempt = work.Attempt, Directory = work.Directory, Position = work.JournalPosition,
        });
        IsGreeted = true;
        _server.Greeted();
        work.Greet(this);
    }

    private void RefuseAndClose(LinkRequest request, string code, string reason)
    {
        SupervisorLog.Write($"refused a hello: {code}");
        request.Refuse(code, reason);
        Flush();
        Close();
    }

    /// <summary>In a time that tells nothing of where the texts differ. CryptographicOperations would load a whole assembly for it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    private static bool IsSame(string given, string expected)
    {
        int difference = given.Length ^ expected.Length;
        for (int i = 0; i < given.Length; i++)
        {
            difference |= given[i] ^ expected[i % Math.Max(1, expected.Length)];
        }

        return difference == 0 && expected.Length > 0;
    }
}
