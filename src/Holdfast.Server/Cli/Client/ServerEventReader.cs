using System.Text;

namespace Holdfast.Server.Cli.Client;

/// <summary>
/// Reads <c>text/event-stream</c> (WHATWG HTML, section 9.2) as bytes. Comments, which keep the connection alive, are not shown but count
/// as a sign of life: silence beyond the limit means a network that was cut without a word, and throws <see cref="TimeoutException"/>.
/// </summary>
public sealed class ServerEventReader(Stream stream, TimeProvider time, TimeSpan silenceMax) : IDisposable
{
    private const int ReadSize = 64 * 1024;

    private readonly MemoryStream _data = new();
    private byte[] _buffer = new byte[ReadSize];
    private int _start;
    private int _end;
    private string _name = "message";
    private string? _id;

    /// <summary>The next event; null at the end of the stream, where an unfinished event is dropped as the specification asks.</summary>
    public async ValueTask<ServerEvent?> ReadAsync(CancellationToken cancellationToken)
    {
        _data.SetLength(0);
        _name = "message";
        while (true)
        {
            while (TryTakeLine(out ReadOnlyMemory<byte> line))
            {
                if (line.Length > 0)
                {
                    TakeField(line.Span);
                }
                else if (_data.Length > 0)
                {
                    // Every data line ended in a line feed; the last one is not part of the data.
                    return new ServerEvent(_name, _id, _data.GetBuffer().AsMemory(0, (int)_data.Length - 1));
                }
                else
                {
                    _name = "message";
                }
            }

            if (!await FillAsync(cancellationToken).ConfigureAwait(false))
            {
                return null;
            }
        }
    }

    public void Dispose() => _data.Dispose();

    private bool TryTakeLine(out ReadOnlyMemory<byte> line)
    {
        int length = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
        if (length < 0)
        {
            line = default;
            return false;
        }

        line = _buffer.AsMemory(_start, length > 0 && _buffer[_start + length - 1] == '\r' ? length - 1 : length);
        _start += length + 1;
        return true;
    }

    private void TakeField(ReadOnlySpan<byte> line)
    {
        int colon = line.IndexOf((byte)':');
        ReadOnlySpan<byte> name = colon < 0 ? line : line[..colon];
        ReadOnlySpan<byte> value = colon < 0 ? default : line[(colon + 1)..];
        value = value.Length > 0 && value[0] == ' ' ? value[1..] : value;
        if (name.SequenceEqual("data"u8))
        {
            _data.Write(value);
            _data.WriteByte((byte)'\n');
        }
        else if (name.SequenceEqual("event"u8))
        {
            _name = Encoding.UTF8.GetString(value);
        }
        else if (name.SequenceEqual("id"u8))
        {
            _id = Encoding.UTF8.GetString(value);
        }
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        using var silence = new CancellationTokenSource(silenceMax, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, silence.Token);
        try
        {
            int count = await stream.ReadAsync(_buffer.AsMemory(_end), either.Token).ConfigureAwait(false);
            _end += count;
            return count > 0;
        }
        catch (OperationCanceledException) when (silence.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException("it has fallen silent");
        }
    }
}
