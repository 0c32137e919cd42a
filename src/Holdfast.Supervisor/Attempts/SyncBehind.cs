using Holdfast.Protocol.Journal;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Attempts;

/// <summary>Told in the loop that everything before a position has been handed to the disk.</summary>
internal delegate void SyncedCallback(long position);

/// <summary>
/// A thread that syncs the journal's newest segments when asked, on descriptors of its own, while the loop goes on appending. Only started
/// for attempts that say much: the others never pay for it. Its failures are not told: the writer's own sync finds them too.
/// </summary>
internal sealed class SyncBehind : IDisposable
{
    private const int StackBytes = 128 * 1024;
    private readonly JournalSync _sync;
    private readonly AutoResetEvent _asked = new(false);
    private readonly WakeUp _done;
    private volatile bool _isStopped;

    // The loop's: what was asked for last.
    private long _position;
    private long _letGoBefore;

    public SyncBehind(PollLoop loop, string journalDirectory, SyncedCallback synced)
    {
        _sync = new JournalSync(journalDirectory);
        _done = new WakeUp(
            loop,
            () =>
            {
                IsBusy = false;
                synced(_position);
            }
        );
        new Thread(Run, StackBytes) { IsBackground = true, Name = "sync" }.Start();
    }

    /// <summary>Asked and not done; to be asked again only when not.</summary>
    public bool IsBusy { get; private set; }

    /// <summary>Syncs everything before a position, which is the journal's end now, and what it can of what comes meanwhile.</summary>
    /// <param name="letGoBefore">See <see cref="JournalSync.Run"/>.</param>
    public void Ask(long position, long letGoBefore)
    {
        IsBusy = true;
        (_position, _letGoBefore) = (position, letGoBefore);
        _asked.Set();
    }

    /// <summary>
    /// Lets the thread end after the sync it may be in. What both sides use is left to it, for it may be about to use it: the event to the
    /// collector, the eventfd to the thread.
    /// </summary>
    public void Dispose()
    {
        _done.Unregister();
        _isStopped = true;
        _asked.Set();
    }

    private void Run()
    {
        while (true)
        {
            _asked.WaitOne();
            if (_isStopped)
            {
                _done.Dispose();
                return;
            }

            _ = _sync.Run(_letGoBefore);
            _done.Signal();
        }
    }
}
