using System.Buffers;
using System.Net.Sockets;
using Holdfast.Protocol.Link;

namespace Holdfast.SystemTests.Kernels;

/// <summary>A blocking peer of a supervisor, for tests: one request at a time, notices kept in the order they came.</summary>
internal sealed class LinkClient : IDisposable
{
    public static readonly TimeSpan Patience = Serving.Patience.Limit;

    private readonly Socket _socket;
    private readonly Queue<LinkMessage> _notices = new();
    private byte[] _buffer = new byte[64 * 1024];
    private int _length;
    private long _lastId;

    private LinkClient(Socket socket)
    {
        _socket = socket;
        _socket.ReceiveTimeout = (int)Patience.TotalMilliseconds;
    }

    public LinkMessage? Welcome { get; private set; }

    /// <summary>Connects and says hello; null while nobody listens.</summary>
    public static LinkClient? TryConnect(string path, string nonce)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }

        var client = new LinkClient(socket);
        client.Welcome = client.Ask(
            new LinkMessage
            {
                Type = LinkMessageType.Hello,
                Protocol = LinkCodec.ProtocolVersion,
                Nonce = nonce,
            },
            LinkMessageType.Welcome
        );
        return client;
    }

    /// <summary>Sends a request; the answer, which must be of the type given.</summary>
    public LinkMessage Ask(LinkMessage request, LinkMessageType expected = LinkMessageType.Done)
    {
        LinkMessage answer = Send(request);
        return answer.Type == expected
            ? answer
            : throw new InvalidOperationException($"{request.Type} was answered by {answer.Type} {answer.Code}: {answer.Reason}");
    }

    /// <summary>Sends a request; the answer, whatever it is.</summary>
    public LinkMessage Send(LinkMessage request)
    {
        long id = ++_lastId;
        var output = new ArrayBufferWriter<byte>();
        LinkCodec.Write(output, WithId(request, id));
        SendAll(output.WrittenSpan);
        while (true)
        {
            LinkMessage message = Receive();
            if (message.Id == id)
            {
                return message;
            }

            _notices.Enqueue(message);
        }
    }

    /// <summary>The next notice.</summary>
    public LinkMessage Next() => _notices.Count > 0 ? _notices.Dequeue() : Receive();

    /// <summary>The next notice of a type; those before it are passed over.</summary>
    public LinkMessage WaitFor(LinkMessageType type)
    {
        while (true)
        {
            LinkMessage notice = Next();
            if (notice.Type == type)
            {
                return notice;
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    private static LinkMessage WithId(LinkMessage m, long id) =>
        new()
        {
            Type = m.Type,
            Id = id,
            Protocol = m.Protocol,
            Nonce = m.Nonce,
            Signal = m.Signal,
            Cause = m.Cause,
            GraceMs = m.GraceMs,
            Position = m.Position,
            MessageId = m.MessageId,
            Group = m.Group,
            StopOnError = m.StopOnError,
            Channel = m.Channel,
            Directory = m.Directory,
            Body = m.Body,
        };

    private void SendAll(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[_socket.Send(bytes)..];
        }
    }

    private LinkMessage Receive()
    {
        while (true)
        {
            if (LinkCodec.TryRead(_buffer.AsMemory(0, _length), out LinkMessage? message, out int consumed, out int needed))
            {
                Buffer.BlockCopy(_buffer, consumed, _buffer, 0, _length - consumed);
                _length -= consumed;
                return message!;
            }

            if (_buffer.Length < needed)
            {
                Array.Resize(ref _buffer, needed);
            }

            int received = _socket.Receive(_buffer.AsSpan(_length));
            _length += received > 0 ? received : throw new EndOfStreamException("The supervisor closed the link.");
        }
    }
}
