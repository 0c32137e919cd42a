using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// Reads the journal of one kernel incarnation from a position to its end: keeps what is known only from its messages (idle or busy),
/// applies what they mean for executions, and hands each message to whoever folds outputs. One loop does all of it, so that nothing here
/// needs a lock but the listeners and the cells, which others add to.
/// </summary>
internal sealed partial class KernelFollower
{
    /// <summary>Bytes read on the thread that brought the news; the rest elsewhere, for the link has others to serve.</summary>
    private const int InlineBytesMax = 64 * 1024;

    private readonly LiveKernel _kernel;
    private readonly KernelLedger _kernels;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _caughtUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _listening = new();
    private readonly List<IKernelListener> _listeners = []; // guarded by _listening
    private readonly CellTracker _cells; // guarded by _listening where others add to it
    private readonly MessageJoiner _joiner;
    private readonly KernelCommits _commits;
    private readonly InputTracker _input = new();
    private volatile JournalFollower? _journal;
    private ExitRecord? _exit;
    private bool _isOver; // guarded by _listening
    private List<Action<StoreTransaction>> _changes = []; // Read, and not yet given to be stored.

    /// <param name="isKnownReady">Its ready event may lie before what is read.</param>
    public KernelFollower(
        LiveKernel kernel,
        KernelLink link,
        bool isKnownReady,
        StateStore store,
        ExecutionLedger executions,
        KernelLedger kernels,
        TimeProvider time,
        ILogger logger
    )
    {
        (_kernel, _kernels, _time, _logger) = (kernel, kernels, time, logger);
        _joiner = new MessageJoiner(WantsWhole, TakePiece);
        _cells = new CellTracker(executions, kernel.Id, kernel.Live.Id, time)
        {
            CancelledCellStarted = messageId => _ = link.InterruptCancelledAsync(messageId),
        };
        _commits = new KernelCommits(store, kernel.Live.Files.Journal, Mark, () => _journal?.Pulse(), kernel.Id.Value, time, logger);
        Activity = new KernelActivity(isKnownReady);
        if (isKnownReady)
        {
            _ready.TrySetResult();
        }
    }

    public Task Ready => _ready.Task;

    public Task CaughtUp => _caughtUp.Task;

    public Task Ended => _ended.Task;

    public KernelActivity Activity { get; }

    public KernelIntroduction Introduction { get; } = new();

    public PendingInput? PendingInput => _input.Pending;

    public bool HasHeartbeat { get; private set; } = true;

    public long Position { get; private set; }

    /// <summary>How it died; null while it lives, and when it was stopped. Set before <see cref="Ended"/> completes.</summary>
    public KernelDeath? Death { get; private set; }

    /// <summary>Set before <see cref="Ended"/> completes.</summary>
    public KernelState? EndState { get; private set; }

    public void Listen(IKernelListener listener)
    {
        lock (_listening)
        {
            _listeners.Add(listener);
        }
    }

    public void Unlisten(IKernelListener listener)
    {
        lock (_listening)
        {
            _listeners.Remove(listener);
        }
    }

    public void Know(Execution sent) => _cells.Know(sent.MessageId!, sent.Id);

    public bool HandOver(ExecutionId id)
    {
        lock (_listening)
        {
            if (!_isOver)
            {
                _cells.HandOver(id);
            }

            return !_isOver;
        }
    }

    public async Task RunAsync(long position)
    {
        try
        {
            while (!Directory.Exists(_kernel.Live.Files.Journal) && !_kernel.Live.IsEnded)
            {
                Task growth = _kernel.Live.Growth;
                if (!Directory.Exists(_kernel.Live.Files.Journal) && !_kernel.Live.IsEnded)
                {
                    await growth; // The supervisor is about to make it; its link is announced by a pulse.
                }
            }

            if (Directory.Exists(_kernel.Live.Files.Journal))
            {
                if (position > 0)
                {
                    Introduction.ReadBeginning(_kernel.Live.Files.Journal, position);
                }

                using JournalFollower journal = JournalFollower.Open(_kernel.Live.Files.Journal, position);
                _kernel.Live.Follow(journal);
                _journal = journal;
                await FollowAsync(journal);
            }

            await EndAsync();
        }
        catch (Exception e) when (e is JournalDamagedException or IOException or AttemptFormatException)
        {
            // A broken journal stops what reads it; the kernel is kept alive, and the damage is told. Its end, when it comes, still ends
            // its cells.
            Log.NewsFailed(_logger, _kernel.Id.Value, e);
            _kernel.LostReason ??= $"Its journal cannot be read: {e.Message}";
            RefuseReady(ErrorCodes.InternalError, $"The journal of kernel {_kernel.Id} cannot be read: {e.Message}");
            _caughtUp.TrySetResult();
            await WaitForEndAsync();
            await EndAsync();
        }
        finally
        {
            _caughtUp.TrySetResult();
            _ended.TrySetResult();
        }
    }

    private async Task WaitForEndAsync()
    {
        while (!_kernel.Live.IsEnded)
        {
            Task growth = _kernel.Live.Growth;
            if (!_kernel.Live.IsEnded)
            {
                await growth;
            }
        }
    }

    private async Task FollowAsync(JournalFollower journal)
    {
        do
        {
            long from = journal.Position;
            while (_kernel.Live.MayReachPast(journal.Position) && journal.TryRead(out JournalRecord record))
            {
                Take(record);
                if (journal.Position - from > InlineBytesMax)
                {
                    await Task.Yield();
                    from = long.MaxValue;
                }
            }

            if (_caughtUp.Task.IsCompleted)
            {
                _commits.Turn(_changes.Count > 0, _cells.HasChanged, TakeCommit);
            }
            else
            {
                await _commits.FlushAsync(TakeCommit);
                _caughtUp.TrySetResult();
            }
        } while (await journal.WaitAsync(CancellationToken.None));
    }

    /// <summary>Everything that was read and is not stored.</summary>
    private KernelCommit TakeCommit()
    {
        List<Action<StoreTransaction>> changes = _changes;
        _changes = [];
        List<SentCellSave> cells = _cells.TakeChanged(out bool hasOutcome);
        return new KernelCommit(changes, cells, hasOutcome, ReadFrom(), Activity.LastActivityAt);
    }

    /// <summary>
    /// Whoever reads on from here after a restart meets everything again that is not over: requests, messages half read, a question to the
    /// user.
    /// </summary>
    private long ReadFrom()
    {
        long from = Math.Min(Position, Math.Min(_cells.OldestPosition, Activity.OldestPosition));
        return Math.Min(Math.Min(from, _joiner.OldestPosition), PendingInput?.Position ?? from);
    }

    private void Mark(StoreTransaction transaction, KernelCommit commit)
    {
        AttemptsTable.SaveReadFrom(transaction, _kernel.Live.Id, commit.ReadFrom);
        if (commit.LastActivityAt > 0)
        {
            KernelsTable.Touch(transaction, _kernel.Id, commit.LastActivityAt);
        }
    }

    private void Take(in JournalRecord record)
    {
        Position = record.NextPosition;
        long at = UnixTime.FromNanoseconds(record.UnixNanoseconds);
        if (record.Channel == JournalChannel.Event)
        {
            TakeEvent(AttemptEvent.Read(record.Payload.Span), at);
        }
        else if (record.Channel >= JournalChannel.IoPub)
        {
            if (_joiner.TryTake(record, out KernelMessage message))
            {
                TakeMessage(message);
            }
        }
    }

    private bool WantsWhole(LargeMessage message)
    {
        lock (_listening)
        {
            return _listeners.Exists(l => l.WantsWhole(message));
        }
    }

    private void TakePiece(LargeMessage message, ReadOnlySpan<byte> content)
    {
        lock (_listening)
        {
            foreach (IKernelListener listener in _listeners)
            {
                listener.TakePiece(message, content);
            }
        }
    }

    private void TakeMessage(in KernelMessage message)
    {
        Activity.Take(message);
        Introduction.Take(message.Channel, message.Message);
        _input.Take(message, _cells.ExecutionOf);

        lock (_listening)
        {
            // Listeners first: a fold has the last output before the change that says "done" is stored.
            foreach (IKernelListener listener in _listeners)
            {
                listener.Take(message);
            }

            Add(_cells.Take(message));
        }
    }

    private void TakeEvent(AttemptEvent journalEvent, long at)
    {
        switch (journalEvent.Event)
        {
            case AttemptEvent.Ready:
                _changes.Add(transaction => transaction.OnCommitted(() => _ready.TrySetResult()));
                _changes.Add(transaction => _kernels.Ready(transaction, _kernel.Id, _kernel.Live.Id));
                break;
            case AttemptEvent.Started:
                _kernel.Live.ChildPid = journalEvent.Pid;
                break;
            case AttemptEvent.Heartbeat:
                HasHeartbeat = journalEvent.Alive ?? true;
                break;
            case AttemptEvent.ExitEvent:
                _exit = journalEvent.Exit;
                break;
            default:
                if (journalEvent is { Event: AttemptEvent.Gap, MessageId: { } lost })
                {
                    Activity.GiveUp(lost);
                }

                lock (_listening)
                {
                    Add(_cells.Take(journalEvent, Position, at));
                }

                break;
        }
    }

    private async Task EndAsync()
    {
        KernelEnd end = KernelEnd.Of(_kernel, _exit, _time);
        string lastWords = end.IsStopped ? "" : KernelLastWords.Read(_kernel.Live.Files.Journal);
        _input.End();
        Activity.End();
        lock (_listening)
        {
            _isOver = true;
            _changes.AddRange(_cells.End(_exit is not null, end.Reason, Position, end.At));
        }

        Kernel? ended = null;
        _changes.Add(transaction => ended = end.Save(transaction, _kernels, _kernel));
        await _commits.FlushAsync(TakeCommit);
        (Death, EndState) = (end.Death, ended?.State ?? (end.IsStopped ? KernelState.Stopped : KernelState.Dead));
        if (!_ready.Task.IsCompleted)
        {
            RefuseReady(ErrorCodes.KernelDied, $"The kernel '{_kernel.SpecName}' ended before it was ready. {end.Reason}{lastWords}");
        }

        if (!end.IsStopped)
        {
            Log.Died(_logger, _kernel.Id.Value, end.Reason);
        }
    }

    private void RefuseReady(string code, string message)
    {
        _ready.TrySetException(new RefusedException(code, message));
        _ = _ready.Task.Exception; // Observed: not every start is awaited.
    }

    private void Add(Action<StoreTransaction>? change)
    {
        if (change is not null)
        {
            _changes.Add(change);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.KernelNewsFailed, LogLevel.Error, "News from kernel {KernelId} could not be applied.")]
        public static partial void NewsFailed(ILogger logger, string kernelId, Exception exception);

        [LoggerMessage(EventIds.KernelDied, LogLevel.Warning, "Kernel {KernelId} died. {Reason}")]
        public static partial void Died(ILogger logger, string kernelId, string reason);
    }
}
