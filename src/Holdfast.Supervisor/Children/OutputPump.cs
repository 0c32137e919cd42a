using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Attempts;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Children;

/// <summary>
/// Moves what a child writes from its pipe into the journal. While the journal is stalled it does not read, so that the pipe fills and the
/// child waits: nothing is dropped.
/// </summary>
internal sealed unsafe class OutputPump : IDisposable
{
    private const nuint BytesWaiting = 0x541B; // FIONREAD

    /// <summary>A read of so much, followed at once by another, is a stream and no conversation.</summary>
    private const int StreamBytes = 4096;

    private const int WorthwhileBytes = 128 * 1024;
    private const int GatherNanoseconds = 100_000;
    private const int GatherWithinMs = 1;
    private readonly AttemptJournal _journal;
    private readonly JournalChannel _channel;
    private readonly NativeBuffer _buffer;
    private readonly PollRegistration _registration;
    private readonly LoopCallback _closed;
    private readonly PollLoop _loop;
    private int _fd;
    private nint _lastBytes;
    private long _lastReadMs;
    private long _bytesLeft = long.MaxValue;

    /// <param name="fd">The pipe's read end, non-blocking; owned from here on.</param>
    /// <param name="closed">Called once, when the last writer has closed the pipe or the last byte wanted has been read.</param>
    public OutputPump(PollLoop loop, AttemptJournal journal, JournalChannel channel, NativeBuffer buffer, int fd, LoopCallback closed)
    {
        _loop = loop;
        _journal = journal;
        _channel = channel;
        _buffer = buffer;
        _fd = fd;
        _closed = closed;
        _registration = loop.Add(fd, PollEvents.Readable, _ => Read());
    }

    public bool IsClosed => _fd < 0;

    /// <summary>Follows the journal: no reading while it is stalled.</summary>
    public void StallChangedUnlessClosed()
    {
        if (!IsClosed)
        {
            _registration.Events = _journal.IsStalled ? PollEvents.None : PollEvents.Readable;
        }
    }

    /// <summary>Reads what is in the pipe now and then no more, though somebody holds its other end and may go on writing.</summary>
    public void CloseAfterWaiting()
    {
        if (IsClosed)
        {
            return;
        }

        _bytesLeft = Waiting();
        if (_bytesLeft == 0)
        {
            Close();
        }
    }

    public void Dispose()
    {
        if (!IsClosed)
        {
            _registration.Remove();
            _ = Libc.Close(_fd);
            _fd = -1;
        }
    }

    private int Waiting()
    {
        int waiting = 0;
        _ = Posix.Ioctl(_fd, BytesWaiting, &waiting);
        return waiting;
    }

    /// <summary>
    /// A fast child writes in small pieces, and each would wake us, be read and be written by itself. In the middle of a stream it is given
    /// a tenth of a millisecond to write more of them: half the processor time, and what the child gets of the processor is its own speed.
    /// </summary>
    private void LetGather()
    {
        if (
            _lastBytes is >= StreamBytes and < WorthwhileBytes
            && _loop.NowMs - _lastReadMs <= GatherWithinMs
            && Waiting() < WorthwhileBytes
        )
        {
            Posix.Sleep(GatherNanoseconds);
        }
    }

    private void Read()
    {
        LetGather();
        nint n = Libc.Read(_fd, _buffer.Start, (nuint)Math.Min(NativeBuffer.Bytes, _bytesLeft));
        if (n < 0 && Libc.Errno is Libc.Eagain or Libc.Eintr)
        {
            return;
        }

        if (n <= 0)
        {
            // End of file; or EIO, which a terminal says instead of it.
            Close();
            return;
        }

        _lastBytes = n;
        _lastReadMs = _loop.NowMs;
        _journal.AppendOutput(_channel, _buffer.Start, (int)n);
        _bytesLeft -= n;
        if (_bytesLeft == 0)
        {
            Close();
        }
    }

    private void Close()
    {
        Dispose();
        _closed();
    }
}
