using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Holdfast.Bench.Server;

/// <summary>
/// One kept-alive HTTP/1.1 connection, blocking, one request at a time. Not HttpClient: that costs more CPU per request than the server
/// does, on a machine where both share two cores.
/// </summary>
internal sealed class RestConnection : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly string _host;
    private readonly string _token;
    private readonly byte[] _buffer = new byte[1 << 20];
    private int _start;
    private int _end;

    public RestConnection(IPEndPoint server, string token)
    {
        (_host, _token) = (server.ToString(), token);
        _socket.Connect(server);
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>A request as it goes over the wire; to be made once where it is sent often.</summary>
    public byte[] Request(string method, string path, string? body = null)
    {
        string entity = body is null ? "" : $"Content-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n";
        return Encoding.UTF8.GetBytes($"{method} {path} HTTP/1.1\r\nHost: {_host}\r\nAuthorization: Bearer {_token}\r\n{entity}\r\n{body}");
    }

    public Answer Get(string path) => Exchange(Request("GET", path));

    public Answer Post(string path, string body) => Exchange(Request("POST", path, body));

    public Answer Exchange(byte[] request)
    {
        _socket.Send(request);
        (int status, long? length) = ReadHead();
        return new Answer(status, length is { } known ? ReadBytes(known) : ReadChunks());
    }

    /// <summary>A GET whose body is only looked at, as it comes, and not kept. Returns its length.</summary>
    public long GetThrough(string path, SpanAction look)
    {
        _socket.Send(Request("GET", path));
        (int status, long? length) = ReadHead();
        if (status != 200 || length is null)
        {
            throw new IOException($"GET {path}: status {status}, length {length}.");
        }

        for (long left = length.Value; left > 0; )
        {
            if (_start == _end)
            {
                (_start, _end) = (0, 0);
                Fill();
            }

            int count = (int)Math.Min(left, _end - _start);
            look(_buffer.AsSpan(_start, count));
            _start += count;
            left -= count;
        }

        return length.Value;
    }

    public delegate void SpanAction(ReadOnlySpan<byte> bytes);

    private (int Status, long? Length) ReadHead()
    {
        int status = int.Parse(ReadLine().AsSpan(9, 3), CultureInfo.InvariantCulture);
        long? length = status == 204 ? 0 : null;
        while (ReadLine() is { Length: > 0 } line)
        {
            if (line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))
            {
                length = long.Parse(line.AsSpan(15), CultureInfo.InvariantCulture);
            }
        }

        return (status, length);
    }

    private byte[] ReadChunks()
    {
        var body = new List<byte>();
        while (true)
        {
            string line = ReadLine();
            _ = Utf8Parser.TryParse(Encoding.ASCII.GetBytes(line), out int size, out _, 'x');
            body.AddRange(ReadBytes(size));
            _ = ReadLine();
            if (size == 0)
            {
                return [.. body];
            }
        }
    }

    private byte[] ReadBytes(long count)
    {
        byte[] bytes = new byte[count];
        for (int filled = 0; filled < count; )
        {
            if (_start == _end)
            {
                (_start, _end) = (0, 0);
                Fill();
            }

            int part = (int)Math.Min(count - filled, _end - _start);
            _buffer.AsSpan(_start, part).CopyTo(bytes.AsSpan(filled));
            _start += part;
            filled += part;
        }

        return bytes;
    }

    private string ReadLine()
    {
        while (true)
        {
            int at = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8);
            if (at >= 0)
            {
                string line = Encoding.ASCII.GetString(_buffer, _start, at);
                _start += at + 2;
                return line;
            }

            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
            Fill();
        }
    }

    private void Fill()
    {
        int read = _socket.Receive(_buffer.AsSpan(_end));
        _end += read > 0 ? read : throw new IOException("The server closed the connection.");
    }
}
