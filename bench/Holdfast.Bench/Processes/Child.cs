using System.Diagnostics;
using Holdfast.Protocol.Processes;

namespace Holdfast.Bench.Processes;

/// <summary>One process that a bench started and waits for.</summary>
internal sealed class Child(int pid)
{
    private WaitStatus? _status;

    public int Pid => pid;

    /// <summary>Blocks until it has ended.</summary>
    public unsafe WaitStatus Wait()
    {
        int status;
        while (_status is null)
        {
            if (Libc.WaitPid(pid, &status, 0) == pid)
            {
                _status = WaitStatus.Decode(status);
            }
            else if (Libc.Errno != Libc.Eintr)
            {
                throw Libc.Failure("waitpid", "for a child of the bench");
            }
        }

        return _status.Value;
    }

    /// <summary>True once it has ended.</summary>
    public unsafe bool HasEnded()
    {
        int status;
        if (_status is null && Libc.WaitPid(pid, &status, 1) == pid)
        {
            _status = WaitStatus.Decode(status);
        }

        return _status is not null;
    }

    public void Signal(int signal)
    {
        if (!HasEnded())
        {
            _ = Libc.Kill(pid, signal);
        }
    }

    /// <summary>kill -9, and waits.</summary>
    public void Kill()
    {
        Signal(Libc.SigKill);
        _ = Wait();
    }

    /// <summary>Lets it end by itself after a signal, for as long as given; then kills it.</summary>
    public void Stop(TimeSpan patience)
    {
        Signal(Libc.SigTerm);
        long start = Stopwatch.GetTimestamp();
        while (!HasEnded() && Stopwatch.GetElapsedTime(start) < patience)
        {
            Thread.Sleep(5);
        }

        Kill();
    }
}
