using Holdfast.Engine.Store;
using Holdfast.Protocol;
using Holdfast.Protocol.Journal;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// What is stored together: what the journal brought up to a moment, from where it would have to be read again, and when the kernel was
/// last active.
/// </summary>
internal sealed record KernelCommit(
    IReadOnlyList<Action<StoreTransaction>> Changes,
    IReadOnlyList<SentCellSave> Cells,
    bool NeedsSync,
    long ReadFrom,
    long LastActivityAt
);

/// <summary>
/// Stores what a kernel's journal means, beside the loop that reads it, so that clients never wait for a disk:
/// 1. one transaction at a time is on its way; what is read meanwhile gathers for the next. 2. A client's cell may wait for
/// <see cref="Delay"/>, or <see cref="Pace"/> when one was just stored: most are over by then, and begin and end in one write, with their
/// neighbours. Whatever else there is to store takes them along at once. 3. Before the outcome of a client's cell is stored the journal is
/// synced: the store must not know of an end that a power cut could take back. (The cells of runs are synced by the supervisor, before it
/// shows them.) 4. A write that fails is tried again until it is stored; the journal is not going away. Its owner is one loop; it is told
/// by <paramref name="wake"/> when to come by.
/// </summary>
internal sealed partial class KernelCommits(
    StateStore store,
    string journalDirectory,
    Action<StoreTransaction, KernelCommit> mark,
    Action wake,
    string kernel,
    TimeProvider time,
    ILogger logger
)
{
    /// <summary>Longer than most cells take, and shorter than anybody notices in a list.</summary>
    public static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// While one cell follows the other they are stored so often: each write costs as much as the cells of some milliseconds.
    /// </summary>
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly JournalSync _sync = new(journalDirectory);
    private Task? _underWay;
    private KernelCommit? _stored; // Set by what is under way when it is done, taken by the owner.
    private ITimer? _timer;
    private bool _isDue;
    private long _begunAt; // When the last write began.

    /// <summary>
    /// Begins to store what there is, when nothing is on its way and it is time. Gives what was stored since the last call.
    /// </summary>
    public void Turn(bool isUrgent, bool hasCells, Func<KernelCommit> take)
    {
        Settle();
        if (_underWay is not null || (!isUrgent && !hasCells))
        {
            return;
        }

        if (!isUrgent && !Volatile.Read(ref _isDue))
        {
            _timer ??= time.CreateTimer(
                OnDue,
                null,
                _begunAt != 0 && time.GetElapsedTime(_begunAt) < Pace ? Pace : Delay,
                Timeout.InfiniteTimeSpan
            );
            return;
        }

        Disarm();
        _begunAt = time.GetTimestamp();
        KernelCommit commit = take();
        _underWay = CommitAsync(commit);
    }

    /// <summary>Stores everything, and waits for it.</summary>
    public async Task FlushAsync(Func<KernelCommit> take)
    {
        if (_underWay is not null)
        {
            await _underWay;
            Settle();
        }

        Disarm();
        KernelCommit commit = take();
        if (commit.Changes.Count > 0 || commit.Cells.Count > 0)
        {
            _underWay = CommitAsync(commit);
            await _underWay;
            Settle();
        }
    }

    private void Settle()
    {
        if (_underWay is { Exception: { } bug })
        {
            throw new InvalidOperationException("A change could not be stored, and not because of the store.", bug);
        }

        // Not asked of the task: it wakes its owner before it is completed, and nobody would come by again.
        if (_underWay is not null && Interlocked.Exchange(ref _stored, null) is { } stored)
        {
            _underWay = null;
            foreach (SentCellSave cell in stored.Cells)
            {
                cell.Done();
            }
        }
    }

    private void OnDue(object? state)
    {
        Volatile.Write(ref _isDue, true);
        wake();
    }

    private void Disarm()
    {
        _timer?.Dispose();
        _timer = null;
        _isDue = false;
    }

    private async Task CommitAsync(KernelCommit commit)
    {
        if (commit.NeedsSync)
        {
            await SyncAsync();
            CrashPoints.Reach(CrashPoint.ServerJournalSynced);
        }

        while (!await TryStoreAsync(commit))
        {
            await Task.Delay(RetryDelay, time, CancellationToken.None);
        }

        Volatile.Write(ref _stored, commit);
        wake();
    }

    private async Task SyncAsync()
    {
        try
        {
            if (await Task.Run(() => _sync.Run())) // On a thread that may wait.
            {
                return;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Told below: waiting would not mend it, and what the journal says has happened all the same.
        }

        Log.NotSynced(logger, kernel);
    }

    private async Task<bool> TryStoreAsync(KernelCommit commit)
    {
        try
        {
            await store.WriteAsync(
                transaction =>
                {
                    foreach (Action<StoreTransaction> change in commit.Changes)
                    {
                        change(transaction);
                    }

                    foreach (SentCellSave cell in commit.Cells)
                    {
                        cell.Run(transaction);
                    }

                    mark(transaction, commit);
                },
                CancellationToken.None
            );
            return true;
        }
        catch (StoreException e)
        {
            Log.NewsFailed(logger, kernel, e);
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.KernelNewsFailed, LogLevel.Error, "News from kernel {KernelId} could not be applied.")]
        public static partial void NewsFailed(ILogger logger, string kernelId, Exception exception);

        [LoggerMessage(
            EventIds.KernelJournalNotSynced,
            LogLevel.Error,
            "The journal of kernel {KernelId} could not be synced; a power cut now could take back what its cells said."
        )]
        public static partial void NotSynced(ILogger logger, string kernelId);
    }
}
