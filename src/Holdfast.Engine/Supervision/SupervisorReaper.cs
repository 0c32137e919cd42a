using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Supervision;

/// <summary>
/// Reaps the supervisors and the few other children this server started on a thread that sleeps in waitpid, and keeps how the last ones
/// ended: the difference between "exited" and "was killed by signal 9" when a supervisor dies before its time. As the first process of a
/// container it reaps whatever is left to it, too.
/// </summary>
public sealed class SupervisorReaper : IDisposable
{
    private const int KeptMax = 4096;
    private readonly ConcurrentDictionary<int, WaitStatus> _ended = new();
    private readonly ConcurrentQueue<int> _order = new();
    private readonly SemaphoreSlim _spawned = new(0);
    private readonly Thread _thread;
    private readonly Dictionary<int, TaskCompletionSource<WaitStatus>> _waiting = []; // Guarded by itself.
    private readonly PosixSignalRegistration? _childEnded;
    private volatile bool _isDisposed;

    public SupervisorReaper()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "supervisor-reaper" };
        _thread.Start();
        if (Environment.ProcessId == 1)
        {
            // The first process of a container is given every orphan in it, also such as it never heard of.
            _childEnded = PosixSignalRegistration.Create(PosixSignal.SIGCHLD, _ => ChildSpawned());
        }
    }

    /// <summary>To be called after each spawn: the thread waits for children only while there are some.</summary>
    public void ChildSpawned() => _spawned.Release();

    /// <summary>
    /// Starts a child that is no supervisor; its pid, or the negated errno, and how it ends. Its pid is not used again before that is told.
    /// </summary>
    public (int Pid, Task<WaitStatus> End) Spawn(ChildStart start)
    {
        var end = new TaskCompletionSource<WaitStatus>(TaskCreationOptions.RunContinuationsAsynchronously);
        int pid;
        lock (_waiting)
        {
            // Under the lock, so that one that ends at once is not reaped before it is waited for.
            pid = ChildProcess.Spawn(start);
            if (pid > 0)
            {
                _waiting[pid] = end;
            }
        }

        if (pid > 0)
        {
            ChildSpawned();
        }

        return (pid, end.Task);
    }

    public WaitStatus? StatusOf(int pid) => _ended.TryGetValue(pid, out WaitStatus status) ? status : null;

    public void Dispose()
    {
        _isDisposed = true;
        _childEnded?.Dispose();
        _spawned.Release();
    }

    private unsafe void Run()
    {
        while (!_isDisposed)
        {
            _spawned.Wait();
            int status;
            int pid;
            while ((pid = Libc.WaitPid(-1, &status, 0)) > 0 || (pid < 0 && Libc.Errno == Libc.Eintr))
            {
                if (pid > 0)
                {
                    Keep(pid, WaitStatus.Decode(status));
                }
            }

            // ECHILD: no child is left. Sleep until the next spawn.
        }
    }

    private void Keep(int pid, WaitStatus status)
    {
        lock (_waiting)
        {
            if (_waiting.Remove(pid, out TaskCompletionSource<WaitStatus>? end))
            {
                end.SetResult(status);
                return;
            }
        }

        _ended[pid] = status;
        _order.Enqueue(pid);
        if (_order.Count > KeptMax && _order.TryDequeue(out int oldest))
        {
            _ended.TryRemove(oldest, out _);
        }
    }
}
