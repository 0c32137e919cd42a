using System.Runtime.CompilerServices;
using Holdfast.Protocol;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Link;

/// <summary>
/// One peer. 1. Within five seconds it says hello with the nonce and a protocol we speak, or it is closed. 2. Its requests are answered in
/// order, and are not read while it leaves our answers unread. 3. Between messages it is told the journal's growth and sent the journal's
/// bytes, as <see cref="LinkOutput"/> says.
/// </summary>
internal sealed unsafe class LinkConnection : IDisposable
{
    private const int HelloTimeoutMs = 5000;
    private const int HelloBytesMax = 64 * 1024;
    private const int ReadBytes = 16 * 1024;

    /// <summary>Unread answers past which no more requests are read.</summary>
    private const int UnreadBytesSoft = 256 * 1024;

    /// <summary>Unread notices past which the peer is given up; it can come back and is told the state.</summary>
    private const int UnreadBytesMax = 1024 * 1024;

    private readonly LinkServer _server;
    private readonly int _fd;
    private readonly PollRegistration _registration;
    private readonly ByteQueue _incoming = new();
    private readonly LinkOutput _output;
    private LoopTimer? _helloTimer;
    private bool _isClosed;

    internal LinkConnection(LinkServer server, int fd)
    {
        _server = server;
        _fd = fd;
        _output = new LinkOutput(server.Loop, server.Work, fd);
        _registration = server.Loop.Add(fd, PollEvents.Readable, OnEvents);
        _helloTimer = server.Loop.AddTimer(Close);
        _helloTimer.Start(HelloTimeoutMs);
    }

    /// <summary>Its hello was accepted, and it is told notices.</summary>
    public bool IsGreeted { get; private set; }

    /// <summary>Puts a message on its way; it leaves at the end of the loop's present batch.</summary>
    public void Send(LinkMessage message)
    {
        if (_isClosed)
        {
            return;
        }

        _output.Add(message);
        if (_output.UnreadBytes > UnreadBytesMax)
        {
            SupervisorLog.Write("closed a link whose peer does not read");
            Close();
        }
    }

    public void Dispose() => Close();

    /// <summary>At the end of a batch. A peer whose socket is full is not tried again before the loop says that it takes more.</summary>
    internal void FlushUnlessBlocked()
    {
        if (!_output.IsBlocked)
        {
            Flush();
        }
    }

    internal void TellGrowthNow() => _output.TellGrowthNow();

    internal void TellGrowthLater() => _output.TellGrowthLater();

    internal void Close()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        _registration.Remove();
        _helloTimer?.Remove();
        _output.Dispose();
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

    private void Flush()
    {
        if (_isClosed)
        {
            return;
        }

        _output.Flush();
        if (_output.IsBroken)
        {
            Close();
            return;
        }

        // The loop comes by after every batch; only what is held up has to be called for.
        bool wantsReadable = _output.UnreadBytes < UnreadBytesSoft;
        _registration.Events =
            (wantsReadable ? PollEvents.Readable : PollEvents.None) | (_output.IsBlocked ? PollEvents.Writable : PollEvents.None);
    }

    private void Receive()
    {
        _ = TryPeekFrameLength(out int length);
        Span<byte> room = _incoming.GetSpan(Math.Max(ReadBytes, length - _incoming.Length));
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

    private bool TryPeekFrameLength(out int length)
    {
        length = 0;
        if (_incoming.Length < sizeof(uint))
        {
            return false;
        }

        // Judged by TakeFrames already, so it is within the limits.
        length = (int)System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(_incoming.Content.Span) + sizeof(uint);
        return true;
    }

    private void TakeFrames()
    {
        while (!_isClosed && LinkCodec.TryRead(_incoming.Content, out LinkMessage? message, out int consumed, out _))
        {
            Handle(message!);
            _incoming.Take(consumed);
        }

        if (!IsGreeted && _incoming.Length > 0 && TryPeekFrameLength(out int length) && length > HelloBytesMax)
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

    /// <summary>
    /// A request can arrive when its attempt has ended and the next one has begun, which must not be stopped in its place. To run names the
    /// attempt to come.
    /// </summary>
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
                _output.Watch();
                request.Done();
                break;
            case LinkMessageType.Follow:
                Follow(request);
                break;
            case LinkMessageType.Unfollow:
                _output.Follow(null);
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

        _output.Follow(new JournalStream(directory, request.Message.Position));
        request.Done();
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
                $"This supervisor speaks protocols {LinkCodec.ProtocolVersionMin} to {LinkCodec.ProtocolVersion}, the peer at most {hello.Protocol}."
            );
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
        Send(
            new LinkMessage
            {
                Type = LinkMessageType.Welcome,
                Id = hello.Id,
                Protocol = Math.Min(hello.Protocol, LinkCodec.ProtocolVersion),
                Version = HoldfastVersion.Text,
                Mode = work.Mode,
                State = work.State,
                Capabilities = work.Capabilities,
                BootId = self.BootId,
                Pid = self.Pid,
                StartTicks = self.StartTicks,
                Attempt = work.Attempt,
                Directory = work.Directory,
                Position = work.JournalPosition,
            }
        );
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

    /// <summary>
    /// In a time that tells nothing of where the texts differ. CryptographicOperations would load a whole assembly for it.
    /// </summary>
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
