using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Children;

/// <summary>
/// The child's standard input: a bounded buffer that empties into the pipe as the child reads. What the child does not read when it ends,
/// or after it has closed its end, is dropped: as in any pipe. Of a terminal it is the keyboard, whose end is a key (Ctrl-D) and ends
/// nothing for good.
/// </summary>
internal sealed unsafe class InputPipe : IDisposable
{
    /// <summary>Bytes that may wait for the child; what the spec brought along does not count.</summary>
    public const int BytesMax = 1024 * 1024;

    /// <summary>Ctrl-D: what waits in the line is given to the reader; with nothing in the line that is the end of the file.</summary>
    private const byte EndOfFileKey = 4;

    private readonly PollRegistration _registration;
    private readonly bool _isTerminal;
    private byte[] _waiting;
    private int _start;
    private int _end;
    private bool _endsAfterWaiting;
    private int _fd;

    /// <param name="fd">The pipe's write end or the terminal's master, non-blocking; owned from here on.</param>
    public InputPipe(PollLoop loop, int fd, byte[] first, bool endsAfterFirst, bool isTerminal = false)
    {
        _fd = fd;
        _isTerminal = isTerminal;
        _waiting = first;
        _end = first.Length;
        End(first, endsAfterFirst);
        _registration = loop.Add(fd, PollEvents.None, _ => Write());
        Write();
    }

    /// <summary>Nothing more is taken: it was ended, or the child has closed its side.</summary>
    public bool IsClosed => _fd < 0 || _endsAfterWaiting;

    /// <summary>False when the bytes do not fit now; then nothing of them was taken.</summary>
    public bool TryTake(ReadOnlySpan<byte> bytes, bool ends)
    {
        int waiting = _end - _start;
        if (waiting + bytes.Length > Math.Max(BytesMax, waiting))
        {
            return false;
        }

        Append(bytes);
        End(bytes, ends);
        Write();
        return true;
    }

    public void Dispose()
    {
        if (_fd >= 0)
        {
            _registration.Remove();
            _ = Libc.Close(_fd);
            _fd = -1;
            _waiting = [];
            _start = _end = 0;
        }
    }

    private void End(ReadOnlySpan<byte> last, bool ends)
    {
        if (!_isTerminal)
        {
            _endsAfterWaiting |= ends;
        }
        else if (ends)
        {
            bool isInLine = !last.IsEmpty && last[^1] is not ((byte)'\n' or (byte)'\r');
            Append(isInLine ? [EndOfFileKey, EndOfFileKey] : [EndOfFileKey]);
        }
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        int waiting = _end - _start;
        if (_waiting.Length - _end < bytes.Length)
        {
            byte[] larger = new byte[waiting + bytes.Length];
            Buffer.BlockCopy(_waiting, _start, larger, 0, waiting);
            _waiting = larger;
            _start = 0;
            _end = waiting;
        }

        bytes.CopyTo(_waiting.AsSpan(_end));
        _end += bytes.Length;
    }

    private void Write()
    {
        while (_fd >= 0 && _start < _end)
        {
            nint written;
            fixed (byte* start = _waiting)
            {
                written = Libc.Write(_fd, start + _start, (nuint)(_end - _start));
            }

            if (written >= 0)
            {
                _start += (int)written;
            }
            else if (Libc.Errno == Libc.Eagain)
            {
                _registration.Events = PollEvents.Writable;
                return;
            }
            else if (Libc.Errno != Libc.Eintr)
            {
                // EPIPE: the child reads no more.
                Dispose();
                return;
            }
        }

        if (_fd >= 0)
        {
            _registration.Events = PollEvents.None;
            _waiting = [];
            _start = _end = 0;
            if (_endsAfterWaiting)
            {
                Dispose();
            }
        }
    }
}
