using System.Collections.Concurrent;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Metrics;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Jobs;

/// <summary>
/// Starts queued jobs, first in first out, as slots become free, and stores the outcomes of those that ended. One loop owns the slots:
/// 1. take what ended since the last round; 2. in one transaction store those outcomes and claim as many queued jobs as then have a slot;
/// 3. hand each claim to a warm supervisor, or to a new one. So a busy queue pays for one commit per round, not for two per job.
/// </summary>
internal sealed partial class JobDispatcher : JobNews, IAsyncDisposable
{
    /// <summary>Below what a person notices, above what a trivial command takes.</summary>
    private static readonly TimeSpan ConfirmDelay = TimeSpan.FromMilliseconds(20);

    private readonly StateStore _store;
    private readonly ExecutionLedger _ledger;
    private readonly FeedLog _feed;
    private readonly LiveAttempts _live;
    private readonly JobOptions _options;
    private readonly EngineMeters _meters;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly JobCommits _commits;
    private readonly JobLinks _links;
    private readonly JobRescue _rescue;
    private readonly JobLauncher _launcher;
    private readonly WarmSupervisors _warm;

    private readonly ConcurrentQueue<EndedJob> _ended = new();
    private readonly SemaphoreSlim _signal = new(0, 1);
    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;
    private int _inUse; // Interlocked: recovery adopts many at once, some after the loop has begun.
    private volatile bool _isHeld;
    private volatile bool _isQueueMaybeNotEmpty = true; // Set by the feed, taken back by the loop alone.

    public JobDispatcher(
        StateStore store,
        ExecutionLedger ledger,
        FeedLog feed,
        LiveAttempts live,
        AttemptFolders folders,
        JobOptions options,
        SupervisorSpawner spawner,
        AttemptRescuer rescuer,
        EngineMeters meters,
        TimeProvider time,
        ILogger<JobDispatcher> logger
    )
    {
        (_store, _ledger, _feed, _live, _options, _meters, _time, _logger) = (store, ledger, feed, live, options, meters, time, logger);
        CancellationToken stopping = _stopping.Token;
        _warm = new WarmSupervisors(options.WarmSupervisors);
        _commits = new JobCommits(store, ledger, live, folders, time, logger, stopping);
        _links = new JobLinks(options, stopping);
        _rescue = new JobRescue(this, _links, rescuer, meters, time, logger, stopping);
        _launcher = new JobLauncher(this, _commits, _warm, _links, _rescue, new JobSpec(folders, options), spawner, time, logger, stopping);
        _feed.Published += OnPublished;
    }

    /// <summary>Starts claiming. Before this only adopted attempts are looked after.</summary>
    public void Start()
    {
        _loop = RunAsync();
        Signal();
    }

    /// <summary>No more claims: the server is going to end its work. What runs is looked after to its end.</summary>
    public void Hold() => _isHeld = true;

    /// <summary>Recovery found this attempt open: it takes a slot until its outcome is stored.</summary>
    public async Task AdoptAsync(LiveAttempt live, AttemptVerdict verdict, CancellationToken cancellationToken)
    {
        Interlocked.Add(ref _inUse, live.TakesSlot ? 1 : 0);
        _live.Add(live);
        try
        {
            await _rescue.SettleAsync(live, verdict, cancellationToken);
        }
        catch when (live.TryTakeOutcome())
        {
            // It could not be taken up: as if it had not been tried, so that it may be tried again.
            _live.Remove(live);
            Interlocked.Add(ref _inUse, live.TakesSlot ? -1 : 0);
            throw;
        }
    }

    /// <summary>
    /// Starts what was claimed outside the queue, and takes no slot: a terminal, which a person waits for. To be called when the claim is
    /// committed.
    /// </summary>
    public void StartNow(ClaimedJob job) => _ = _launcher.LaunchAsync(job);

    /// <summary>Passes a cancel on to whoever has the job now.</summary>
    public Task StopAsync(LiveAttempt live, SupervisorLink link) => _links.StopAsync(live, link);

    public override void Started(LiveAttempt live, long atMicroseconds) => _ = ConfirmSoonAsync(live, atMicroseconds);

    /// <summary>
    /// A job that is over before anyone could look is stored once, with its outcome and its start, and never as running: half the writes of
    /// a short job. Recovery does not need the row to say running; it asks the folder.
    /// </summary>
    private async Task ConfirmSoonAsync(LiveAttempt live, long atMicroseconds)
    {
        live.StartedAt = atMicroseconds;
        if (live.ClaimedAt > 0)
        {
            _meters.Started(UnixTime.Span(atMicroseconds - live.ClaimedAt));
        }

        await Task.Delay(ConfirmDelay, _time, CancellationToken.None);
        if (!live.IsOutcomeKnown)
        {
            Running(live, atMicroseconds);
        }
    }

    public override void Running(LiveAttempt live, long atMicroseconds) =>
        Store(transaction =>
            _ledger.Advance(
                transaction,
                live.Attempt.ExecutionId!.Value,
                live.Id,
                ExecutionCommand.ConfirmRunning,
                e => e with { StartedAt = atMicroseconds }
            )
        );

    public override void Moved(LiveAttempt live, ExecutionCommand command) =>
        Store(transaction => _ledger.Advance(transaction, live.Attempt.ExecutionId!.Value, live.Id, command));

    public override void Ended(LiveAttempt live, Outcome outcome, JobSupervisor? supervisor) =>
        Settled(new EndedJob(live, outcome, supervisor));

    public override void NeverStarted(LiveAttempt live) => Settled(new EndedJob(live, null, null));

    /// <summary>Once for each attempt, for its slot is freed with it.</summary>
    private void Settled(EndedJob one)
    {
        if (one.Live.TryTakeOutcome())
        {
            _ended.Enqueue(one);
            Signal();
        }
    }

    public override void Gone(JobSupervisor supervisor, LiveAttempt? live)
    {
        _warm.NoteGone();
        if (live is not null && !_stopping.IsCancellationRequested)
        {
            _ = _rescue.RunAsync(live);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _feed.Published -= OnPublished;
        await _stopping.CancelAsync();
        await _loop;
        _stopping.Dispose();
        _signal.Dispose();
    }

    private void OnPublished(FeedEvent published)
    {
        if (published.Kind == "execution.queued")
        {
            _isQueueMaybeNotEmpty = true;
            Signal();
        }
    }

    private void Signal()
    {
        try
        {
            _signal.Release();
        }
        catch (SemaphoreFullException)
        {
            // Already signalled: one round takes everything there is.
        }
        catch (ObjectDisposedException)
        {
            // News that comes after the stop is found again by the next server's recovery.
        }
    }

    private async Task RunAsync()
    {
        TimeSpan pause = JobPauses.Store;
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await _signal.WaitAsync(_stopping.Token);
                await RoundAsync();
                pause = JobPauses.Store;
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // This loop owns every slot: one row that cannot be handled must not stop the rest for ever.
                Log.RoundFailed(_logger, e);
                await PauseAsync(pause);
                pause = JobPauses.Longer(pause);
                Signal();
            }
        }
    }

    private async Task PauseAsync(TimeSpan pause)
    {
        try
        {
            await Task.Delay(pause, _time, _stopping.Token);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The loop sees it, too.
        }
    }

    private async Task RoundAsync()
    {
        var ended = new List<EndedJob>();
        while (_ended.TryDequeue(out EndedJob? one))
        {
            ended.Add(one);
        }

        int freed = ended.Count(static e => e.Live.TakesSlot);
        int free = _options.Slots - Volatile.Read(ref _inUse) + freed;
        bool isClaiming = free > 0 && _isQueueMaybeNotEmpty && !_isHeld;
        if (ended.Count == 0 && !isClaiming)
        {
            return;
        }

        _isQueueMaybeNotEmpty = false; // Before the claim reads the queue: a submit that comes after sets it again.
        List<ClaimedJob> claimed = await _commits.CommitAsync(ended, isClaiming ? free : 0);
        int taken = claimed.Count(static c => !c.Execution.IsTerminal);
        if (!isClaiming || taken == free)
        {
            _isQueueMaybeNotEmpty = true; // Never written back as false here: a submit may have set it meanwhile.
        }

        Interlocked.Add(ref _inUse, taken - freed);
        foreach (EndedJob one in ended)
        {
            _warm.Add(one.Supervisor);
        }

        long now = _time.NowMicroseconds();
        foreach (ClaimedJob job in claimed)
        {
            _meters.Claimed(UnixTime.Span(now - job.Execution.CreatedAt));
            _ = _launcher.LaunchAsync(job);
        }

        _warm.Trim(_stopping.Token);
    }

    private void Store(Func<StoreTransaction, Execution?> change) => _ = StoreAsync(change);

    private async Task StoreAsync(Func<StoreTransaction, Execution?> change)
    {
        try
        {
            await _store.WriteAsync(change, CancellationToken.None);
        }
        catch (StoreException e)
        {
            // The outcome, which is retried until it is stored, says the rest.
            Log.ChangeNotStored(_logger, e);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.JobRoundFailed, LogLevel.Error, "A round of the dispatcher failed; the next one tries again.")]
        public static partial void RoundFailed(ILogger logger, Exception exception);

        [LoggerMessage(EventIds.JobChangeNotStored, LogLevel.Warning, "A change of state on the way could not be stored.")]
        public static partial void ChangeNotStored(ILogger logger, Exception exception);
    }
}
