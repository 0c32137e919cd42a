using System.Buffers;
using System.Net.Sockets;
using Holdfast.Protocol.Link;

namespace Holdfast.Tests.Supervision;

/// <summary>The supervisor's end of a link, moved by hand.</summary>
internal sealed class LinkPeer : IDisposable
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _filled;

    private LinkPeer(Socket socket) => Socket = socket;

    public Socket Socket { get; }

    /// <summary>Two ends of one connection: the first for the link under test.</summary>
    public static async Task<(Socket Ours, LinkPeer Peer)> PairAsync()
    {
        string directory = Directory.CreateTempSubdirectory("hf-").FullName;
        try
        {
            var address = new UnixDomainSocketEndPoint(Path.Combine(directory, "s"));
            using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(address);
            listener.Listen();
            var ours = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await ours.ConnectAsync(address);
            return (ours, new LinkPeer(await listener.AcceptAsync()));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    public static byte[] Frame(LinkMessage message)
    {
        var output = new ArrayBufferWriter<byte>();
        LinkCodec.Write(output, message);
        return output.WrittenSpan.ToArray();
    }

    public async Task<LinkMessage> ReadAsync()
    {
        LinkMessage? message;
        int consumed;
        while (!LinkCodec.TryRead(_buffer.AsMemory(0, _filled), out message, out consumed, out _))
        {
            int read = await Socket.ReceiveAsync(_buffer.AsMemory(_filled), TestContext.Current.CancellationToken);
            Assert.NotEqual(0, read);
            _filled += read;
        }

        _buffer.AsSpan(consumed, _filled - consumed).CopyTo(_buffer);
        _filled -= consumed;
        return message!;
    }

    public async Task SendAsync(params LinkMessage[] messages) => await Socket.SendAsync(messages.SelectMany(Frame).ToArray());

    public void Dispose() => Socket.Dispose();
}
