using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Attempts;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Children;

/// <summary>
/// What one child after another writes, on its way into the journal: from two pipes, or from a terminal, where both streams are one. Read
/// to its end after the child's; when a descendant holds it open then, for two seconds.
/// </summary>
internal sealed unsafe class ChildOutput : IDisposable
{
    /// <summary>How long it is read on after the child's end while a descendant holds it (Nomad's figure).</summary>
    private const int DrainGraceMs = 2000;

    /// <summary>
    /// Large enough that a child which writes much does not wait for our turn; an unprivileged limit may keep it at the default.
    /// </summary>
    private const int PipeBytes = 1024 * 1024;

    private const int None = -1;
    private readonly PollLoop _loop;
    private readonly NativeBuffer _buffer = new();
    private readonly LoopCallback _closed;
    private readonly LoopTimer _grace;
    private AttemptJournal? _journal;
    private OutputPump? _stdout;
    private OutputPump? _stderr; // None on a terminal.
    private Pipe _stdoutPipe = Pipe.None;
    private Pipe _stderrPipe = Pipe.None;

    /// <param name="closed">Called when one of the streams is at its end.</param>
    public ChildOutput(PollLoop loop, LoopCallback closed)
    {
        (_loop, _closed) = (loop, closed);
        _grace = loop.AddTimer(GraceOver);
    }

    /// <summary>What the child runs on, while it runs and if it does.</summary>
    public PseudoTerminal? Terminal { get; private set; }

    public bool IsClosed => _stdout is not { IsClosed: false } && _stderr is not { IsClosed: false };

    /// <summary>A descendant still held it when reading ended.</summary>
    public bool WasLeftOpen { get; private set; }

    /// <summary>Makes what the next child is to write to. Throws an IOException when the system gives none.</summary>
    public void Open(AttemptSpec spec, AttemptJournal journal)
    {
        (_journal, _stdout, _stderr, WasLeftOpen) = (journal, null, null, false);
        if (spec.Pty)
        {
            Terminal = PseudoTerminal.Open(spec.Rows, spec.Columns);
            return;
        }

        _stdoutPipe = Pipe.Open();
        try
        {
            _stderrPipe = Pipe.Open();
        }
        catch
        {
            _stdoutPipe.Close();
            throw;
        }
    }

    /// <summary>The start, writing to what was opened.</summary>
    public ChildStart Give(ChildStart start) =>
        Terminal is { } terminal
            ? start with
            {
                Terminal = terminal.Path,
            }
            : start with
            {
                StandardOutput = _stdoutPipe.WriteEnd,
                StandardError = _stderrPipe.WriteEnd,
            };

    /// <summary>The child has its ends and is read from here on.</summary>
    public void Read()
    {
        if (Terminal is { } terminal)
        {
            _stdout = Pump(JournalChannel.Stdout, terminal.DuplicateMaster());
            return;
        }

        _stdout = Pump(JournalChannel.Stdout, _stdoutPipe.KeepReadEnd());
        _stderr = Pump(JournalChannel.Stderr, _stderrPipe.KeepReadEnd());
    }

    /// <summary>There is no child after all.</summary>
    public void Abandon()
    {
        CloseTerminal();
        _stdoutPipe.Close();
        _stderrPipe.Close();
    }

    /// <summary>The child has ended; from here on its terminal ends with the last of those that still have it open.</summary>
    public void CloseTerminal()
    {
        Terminal?.Dispose();
        Terminal = null;
    }

    /// <summary>Whoever writes now is waited for a while, and told of by the callback.</summary>
    public void EndSoon()
    {
        if (!_grace.IsArmed)
        {
            _grace.Start(DrainGraceMs);
        }
    }

    /// <summary>Everything is read, or given up. The buffer's pages go back until the next child writes.</summary>
    public void End()
    {
        _grace.Stop();
        _buffer.Dispose();
    }

    /// <summary>Follows the journal: nothing is read while it is stalled.</summary>
    public void StallChanged()
    {
        _stdout?.StallChangedUnlessClosed();
        _stderr?.StallChangedUnlessClosed();
    }

    public void Dispose()
    {
        _stdout?.Dispose();
        _stderr?.Dispose();
        Abandon();
        _buffer.Dispose();
    }

    private OutputPump Pump(JournalChannel channel, int fd) => new(_loop, _journal!, channel, _buffer, fd, _closed);

    private void GraceOver()
    {
        if (IsClosed)
        {
            return;
        }

        if (_journal!.IsStalled)
        {
            // What is in the pipes cannot be written now; the grace is for the writers, not for the disk.
            _grace.Start(DrainGraceMs);
            return;
        }

        WasLeftOpen = true;
        _stdout!.CloseAfterWaiting();
        _stderr?.CloseAfterWaiting();
    }

    /// <summary>Two descriptors; those that are closed or given away are <see cref="ChildOutput.None"/>.</summary>
    private struct Pipe
    {
        public static Pipe None => new() { _readEnd = ChildOutput.None, WriteEnd = ChildOutput.None };

        private int _readEnd;

        public int WriteEnd { get; private set; }

        public static Pipe Open()
        {
            int* fds = stackalloc int[2];
            if (Libc.Pipe2(fds, Libc.OpenCloseOnExec) != 0)
            {
                throw Libc.Failure("pipe", "for the child's output");
            }

            _ = Libc.Fcntl(fds[0], Posix.SetPipeSize, PipeBytes);
            Posix.SetNonBlocking(fds[0]);
            return new Pipe { _readEnd = fds[0], WriteEnd = fds[1] };
        }

        /// <summary>The end to read, the caller's from here on. The other one is the child's alone.</summary>
        public int KeepReadEnd()
        {
            int kept = _readEnd;
            _readEnd = ChildOutput.None;
            Close();
            return kept;
        }

        public void Close()
        {
            Close(_readEnd);
            Close(WriteEnd);
            this = None;
        }

        private static void Close(int fd)
        {
            if (fd >= 0)
            {
                _ = Libc.Close(fd);
            }
        }
    }
}
