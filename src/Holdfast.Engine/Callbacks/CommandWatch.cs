using System.Runtime.InteropServices;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Callbacks;

/// <summary>How a command's time went: what it said first, and whether it had to be ended.</summary>
internal readonly record struct CommandEnd(byte[] Head, bool HasTimedOut);

/// <summary>
/// Stays with a command until it ends: reads what it says, keeping the beginning, and ends its session when its time is up or the server
/// stops, first politely. Its end is told by its pidfd, so that a grandchild that keeps the pipe open holds up nobody.
/// </summary>
internal sealed unsafe partial class CommandWatch : IDisposable
{
    private const short PollIn = 1;
    private const int PiecesMax = 32; // Then it is looked at the time again: a command may write faster than is read.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly int _pid;
    private readonly int _pidfd;
    private readonly CommandPipes _pipes;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly byte[] _head = new byte[CallbackLimits.AnswerBytesMax];
    private int _length;
    private bool _isSilent;

    public CommandWatch(int pid, CommandPipes pipes, TimeSpan timeout, TimeProvider time)
    {
        (_pid, _pipes, _timeout, _time) = (pid, pipes, timeout, time);
        _pidfd = Libc.PidfdOpen(pid); // Negative: it has ended, and was reaped.
        pipes.CloseOutput();
    }

    public CommandEnd Run(CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        using CancellationTokenRegistration stop = cancellationToken.UnsafeRegister(
            static watch => ((CommandWatch)watch!).Signal(Libc.SigKill),
            this
        );
        bool hasTimedOut = false;
        TimeSpan limit = _timeout;
        while (_pidfd >= 0 && !Wait(limit - _time.GetElapsedTime(start)))
        {
            if (_time.GetElapsedTime(start) < limit)
            {
                continue;
            }

            Signal(hasTimedOut ? Libc.SigKill : Libc.SigTerm);
            hasTimedOut = true;
            limit += Grace;
        }

        Read();
        return new CommandEnd(_head[.._length], hasTimedOut);
    }

    public void Dispose()
    {
        if (_pidfd >= 0)
        {
            _ = Libc.Close(_pidfd);
        }
    }

    /// <summary>Waits for output, the end, or the time; true at the end.</summary>
    private bool Wait(TimeSpan time)
    {
        PollEntry* entries = stackalloc PollEntry[2];
        entries[0] = new PollEntry { Descriptor = _pidfd, Events = PollIn };
        entries[1] = new PollEntry { Descriptor = _isSilent ? -1 : _pipes.Reading, Events = PollIn };
        _ = Poll(entries, 2, (int)Math.Max(0, Math.Ceiling(time.TotalMilliseconds)));
        if (entries[1].Found != 0)
        {
            Read();
        }

        return entries[0].Found != 0;
    }

    /// <summary>
    /// Reads what there is now. What does not belong to the beginning is thrown away, so that the command never waits for us.
    /// </summary>
    private void Read()
    {
        const int piece = 4096;
        byte* buffer = stackalloc byte[piece];
        nint read = piece;
        for (int pieces = 0; pieces < PiecesMax && (read = Libc.Read(_pipes.Reading, buffer, piece)) > 0; pieces++)
        {
            int kept = (int)Math.Min(read, _head.Length - _length);
            new ReadOnlySpan<byte>(buffer, kept).CopyTo(_head.AsSpan(_length));
            _length += kept;
        }

        _isSilent |= read == 0;
    }

    /// <summary>To its whole session, and only while its pidfd says that it lives: then the number is still its own.</summary>
    private void Signal(int signal)
    {
        var entry = new PollEntry { Descriptor = _pidfd, Events = PollIn };
        if (_pidfd >= 0 && Poll(&entry, 1, 0) == 0)
        {
            _ = Libc.Kill(-_pid, signal);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Found;
    }

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(PollEntry* entries, nuint count, int timeoutMs);
}
