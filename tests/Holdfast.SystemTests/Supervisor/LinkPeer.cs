using System.Buffers;
using System.Net.Sockets;
using Holdfast.Protocol.Link;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Supervisor;

/// <summary>A server's end of the link, as plain as a test needs it: blocking, with one generous timeout.</summary>
public sealed class LinkPeer : IDisposable
{
    public static readonly int TimeoutMs = (int)Patience.Limit.TotalMilliseconds;
    private readonly Socket _socket;
    private readonly List<LinkMessage> _notices = [];
    private byte[] _buffer = new byte[1024 * 1024];
    private int _length;
    private long _lastId;

    private LinkPeer(Socket socket)
    {
        _socket = socket;
        _socket.ReceiveTimeout = TimeoutMs;
        _socket.SendTimeout = TimeoutMs;
    }

    public LinkMessage Welcome { get; private set; } = new() { Type = LinkMessageType.Welcome };

    /// <summary>Connects as soon as somebody listens.</summary>
    public static LinkPeer Connect(string path)
    {
        Socket? connected = null;
        AttemptRoom.Until(() => (connected = TryConnect(path)) is not null, $"somebody to listen at {path}");
        return new LinkPeer(connected!);
    }

    /// <summary>Takes over a connected socket.</summary>
    public static LinkPeer On(int fd) => new(new Socket(new SafeSocketHandle(fd, ownsHandle: true)));

    public static LinkPeer Connect(string path, string nonce)
    {
        LinkPeer peer = Connect(path);
        peer.Hello(nonce);
        return peer;
    }

    public LinkMessage Hello(string nonce, int protocol = LinkCodec.ProtocolVersion)
    {
        LinkMessage answer = Ask(
            new LinkMessage
            {
                Type = LinkMessageType.Hello,
                Nonce = nonce,
                Protocol = protocol,
                Version = "test",
            }
        );
        Welcome = answer;
        return answer;
    }

    /// <summary>Sends a request and returns its answer; what comes meanwhile is kept for <see cref="Wait"/>.</summary>
    public LinkMessage Ask(LinkMessage request)
    {
        long id = Send(request);
        while (true)
        {
            LinkMessage message = Receive();
            if (message.Id == id)
            {
                return message;
            }

            _notices.Add(message);
        }
    }

    public LinkMessage Ask(LinkMessageType type) => Ask(new LinkMessage { Type = type });

    public long Send(LinkMessage request)
    {
        var output = new ArrayBufferWriter<byte>();
        LinkCodec.Write(output, request with { Id = ++_lastId });
        SendRaw(output.WrittenSpan);
        return _lastId;
    }

    public void SendRaw(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[_socket.Send(bytes)..];
        }
    }

    /// <summary>The next notice of a type, whatever came before it.</summary>
    public LinkMessage Wait(LinkMessageType type)
    {
        for (int i = 0; i < _notices.Count; i++)
        {
            if (_notices[i].Type == type)
            {
                LinkMessage notice = _notices[i];
                _notices.RemoveAt(i);
                return notice;
            }
        }

        while (true)
        {
            LinkMessage message = Receive();
            if (message.Type == type)
            {
                return message;
            }

            _notices.Add(message);
        }
    }

    /// <summary>True when the other side closes, whatever it says before.</summary>
    public bool IsClosedByPeer()
    {
        try
        {
            while (true)
            {
                Receive();
            }
        }
        catch (EndOfStreamException)
        {
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return true;
        }
    }

    public LinkMessage Receive()
    {
        while (true)
        {
            if (LinkCodec.TryRead(_buffer.AsMemory(0, _length), out LinkMessage? message, out int consumed, out int needed))
            {
                LinkMessage own = message! with { Body = message!.Body.ToArray() };
                Buffer.BlockCopy(_buffer, consumed, _buffer, 0, _length - consumed);
                _length -= consumed;
                return own;
            }

            if (needed > _buffer.Length)
            {
                Array.Resize(ref _buffer, needed);
            }

            int n = _socket.Receive(_buffer.AsSpan(_length));
            if (n == 0)
            {
                throw new EndOfStreamException("The supervisor closed the link.");
            }

            _length += n;
        }
    }

    public void Dispose() => _socket.Dispose();

    private static Socket? TryConnect(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }
}
