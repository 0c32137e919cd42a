using System.Net.Sockets;
using Holdfast.Engine.Kernels.Clients;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>
/// The way out to one client. On plain TCP it is the connection's own socket: what was sent is then with the operating system, which
/// delivers it even when this process is killed. Where there is something in between, such as TLS, it is the web server's stream, and sent
/// means less.
/// </summary>
internal sealed class ClientWire(Stream stream, Socket? socket, TcpHandle? tcp, long takenBefore) : IDisposable
{
    /// <summary>
    /// Places of messages that are sent and perhaps not acknowledged; past this every other one is forgotten, at the price of a message
    /// twice.
    /// </summary>
    private const int PlacesMax = 16 * 1024;

    private readonly List<SessionPlace> _places = [];

    /// <summary>Bytes handed over on this connection.</summary>
    public long SentBytes { get; private set; }

    /// <summary>Completes when the system has it all. The client may see the end of it only after <see cref="Push"/>.</summary>
    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        int handed = tcp is null ? 0 : tcp.Hand(bytes.Span);
        SentBytes += handed;
        return handed == bytes.Length ? ValueTask.CompletedTask : SendRestAsync(bytes[handed..]);
    }

    /// <summary>
    /// Lets the client see what was sent. To be called when it is written down that it was: a client on this machine takes the processor
    /// over as soon as it is woken, and the moment in which a killed server would send twice must not last as long as that.
    /// </summary>
    public void Push() => tcp?.Push();

    /// <summary>
    /// The client, or the network, is slower than the kernel: waits for room as every socket does, and so learns of the connection's end
    /// too.
    /// </summary>
    private async ValueTask SendRestAsync(ReadOnlyMemory<byte> bytes)
    {
        if (socket is null)
        {
            await stream.WriteAsync(bytes);
            SentBytes += bytes.Length;
            return;
        }

        while (!bytes.IsEmpty)
        {
            int sent = await socket.SendAsync(bytes, SocketFlags.None);
            SentBytes += sent;
            bytes = bytes[sent..];
        }
    }

    /// <summary>Notes where a whole message ends, in the journal and in what was sent.</summary>
    public void Note(in SessionPlace place)
    {
        if (tcp is null)
        {
            return;
        }

        if (_places.Count >= PlacesMax)
        {
            Forget();
        }

        _places.Add(place);
    }

    /// <summary>
    /// The last place whose every byte the peer has acknowledged; null when the system does not tell, or everything was acknowledged and is
    /// marked so. The peer's acknowledgement may lag behind what it has read by the time that TCP saves acknowledgements up; so long it is
    /// waited for.
    /// </summary>
    /// <param name="markedBytes">How many bytes had been handed over at the place that is marked: a send that was cut off may have got
    /// further.</param>
    public async ValueTask<SessionPlace?> FindAcknowledgedAsync(SessionPlace start, long markedBytes, TimeProvider time)
    {
        if (tcp is null || _places.Count == 0)
        {
            return null;
        }

        const int looks = 12;
        for (int i = 0; i < looks && tcp.Acknowledged() - takenBefore < _places[^1].SentBytes; i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), time);
        }

        long acknowledged = tcp.Acknowledged() - takenBefore;
        int last = _places.FindLastIndex(place => place.SentBytes <= acknowledged);
        return last == _places.Count - 1 && _places[last].SentBytes <= markedBytes ? null
            : last < 0 ? start
            : _places[last];
    }

    public void Dispose() => tcp?.Dispose();

    private void Forget()
    {
        long acknowledged = tcp!.Acknowledged() - takenBefore;
        // The last of them stays: it is where one would go back to.
        int first = Math.Max(0, _places.FindLastIndex(place => place.SentBytes <= acknowledged));
        _places.RemoveRange(0, first);
        if (_places.Count >= PlacesMax)
        {
            for (int i = 0; i < _places.Count / 2; i++)
            {
                _places[i] = _places[2 * i];
            }

            _places.RemoveRange(_places.Count / 2, _places.Count - (_places.Count / 2));
        }
    }
}
