using System.Collections.Concurrent;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Metrics;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol;
using Holdfast.Protocol.Link;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Jobs;

/// <summary>
/// Starts queued jobs, first in first out, as slots become free, and stores the outcomes of those that ended. One loop owns the slots:
/// 1. take what ended since the last round; 2. in one transaction store those outcomes and claim as many queued jobs as then have a slot;
/// 3. hand each claim to a warm supervisor, or to a new one. So a busy queue pays for one commit per round, not for two per job.
/// </summary>
internal sealed partial class JobDispatcher : JobNews, IAsyncDisposable
{
    private static readonly TimeSpan StoreRetryDelay = TimeSpan.FromSeconds(1);

    /// <summary>A store that stays damaged is not asked more often than this, and its log not filled.</summary>
    private static readonly TimeSpan StoreRetryDelayMax = TimeSpan.FromSeconds(8);

    /// <summary>Below what a person notices, above what a trivial command takes.</summary>
    private static readonly TimeSpan ConfirmDelay = TimeSpan.FromMilliseconds(20);

    private readonly StateStore _store;
    private readonly ExecutionLedger _ledger;
    private readonly FeedLog _feed;
    private readonly LiveAttempts _live;
    private readonly AttemptFolders _folders;
    private readonly JobSpec _spec;
    private readonly JobOptions _options;
    private readonly SupervisorSpawner _spawner;
    private readonly AttemptRescuer _rescuer;
    private readonly EngineMeters _meters;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    private readonly ConcurrentQueue<EndedJob> _ended = new();
    private readonly ConcurrentStack<JobSupervisor> _warm = new();
    private readonly SemaphoreSlim _signal = new(0, 1);
    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;
    private int _inUse; // Interlocked: recovery adopts many at once, some after the loop has begun.
    private volatile bool _isHeld;
    private volatile bool _hasDeadWarm; // Set when any supervisor's link closes, taken back by the loop alone.
    private volatile bool _isQueueMaybeNotEmpty = true; // Set by the feed, taken back by the loop alone.

    private sealed record EndedJob(LiveAttempt Live, Outcome? Outcome, JobSupervisor? Supervisor);

    public JobDispatcher(
        StateStore store, ExecutionLedger ledger, FeedLog feed, LiveAttempts live, AttemptFolders folders, JobOptions options,
        SupervisorSpawner spawner, AttemptRescuer rescuer, EngineMeters meters, TimeProvider time, ILogger<JobDispatcher> logger)
    {
        (_store, _ledger, _feed, _live, _folders, _options) = (store, ledger, feed, live, folders, options);
        (_spawner, _rescuer, _meters, _time, _logger) = (spawner, rescuer, meters, time, logger);
        _spec = new JobSpec(folders, options);
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
            await SettleAsync(live, verdict, cancellationToken);
        }
        catch when (live.TryTakeOutcome())
        {
            // It could not be taken up: as if it had not been tried, so that it may be tried again.
            _live.Remove(live);
            Interlocked.Add(ref _inUse, live.TakesSlot ? -1 : 0);
            throw;
        }
    }

    /// <summary>Starts what was claimed outside the queue, and takes no slot: a terminal, which a person waits for. To be called when the claim is committed.</summary>
    public void StartNow(ClaimedJob job) => _ = LaunchAsync(job);

    public override void Started(LiveAttempt live, long atMicroseconds) => _ = ConfirmSoonAsync(live, atMicroseconds);

    /// <summary>
    /// A job that is over before anyone could look is stored once, with its outcome and its start, and never as running: half the writes of a short job.
    /// Recovery does not need the row to say running; it asks the folder.
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
            ConfirmRunning(live, atMicroseconds);
        }
    }

    private void ConfirmRunning(LiveAttempt live, long atMicroseconds) =>
        Store(transaction => _ledger.Advance(transaction, live.Attempt.ExecutionId!.Value, live.Id, ExecutionCommand.ConfirmRunning, e => e with { StartedAt = atMicroseconds }));

    public override void Moved(LiveAttempt live, ExecutionCommand command) =>
        Store(transaction => _ledger.Advance(transaction, live.Attempt.ExecutionId!.Value, live.Id, command));

    public override void Ended(LiveAttempt live, Outcome outcome, JobSupervisor? supervisor)
    {
        Settled(new EndedJob(live, outcome, supervisor));
    }

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
        _hasDeadWarm = true;
        if (live is not null && !_stopping.IsCancellationRequested)
        {
            _ = RescueAsync(live);
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
        TimeSpan pause = StoreRetryDelay;
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await _signal.WaitAsync(_stopping.Token);
                await RoundAsync();
                pause = StoreRetryDelay;
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
                pause = pause < StoreRetryDelayMax ? pause * 2 : pause;
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
        List<ClaimedJob> claimed = await CommitAsync(ended, isClaiming ? free : 0);
        int taken = claimed.Count(static c => !c.Execution.IsTerminal);
        if (!isClaiming || taken == free)
        {
            _isQueueMaybeNotEmpty = true; // Never written back as false here: a submit may have set it meanwhile.
        }

        Interlocked.Add(ref _inUse, taken - freed);
        foreach (EndedJob one in ended)
        {
            Retire(one.Supervisor);
        }

        long now = _time.NowMicroseconds();
        foreach (ClaimedJob job in claimed)
        {
            _meters.Claimed(UnixTime.Span(now - job.Execution.CreatedAt));
            _ = LaunchAsync(job);
        }

        ForgetDeadWarm();
        while (_warm.Count > _options.WarmSupervisors && _warm.TryPop(out JobSupervisor? surplus))
        {
            _ = ReleaseAsync(surplus);
        }
    }

    /// <summary>
    /// Stores outcomes and claims in one transaction. While the disk is full or cannot be written this goes on trying: the outcomes' records are durable, and such things pass. What is
    /// wrong with one row does not pass: then each outcome is stored by itself, and the one that cannot be is left to the next start, which finds its record.
    /// </summary>
    private async Task<List<ClaimedJob>> CommitAsync(List<EndedJob> ended, int claims)
    {
        for (TimeSpan pause = StoreRetryDelay; ; pause = pause < StoreRetryDelayMax ? pause * 2 : pause)
        {
            try
            {
                return await _store.WriteAsync(
                    transaction =>
                    {
                        var claimed = new List<ClaimedJob>();
                        foreach (EndedJob one in ended)
                        {
                            if (Store(transaction, one) is { IsTerminal: true, State: ExecutionState.Queued } terminal)
                            {
                                // It never started, and is never seen waiting: who sits before it gets another attempt at once.
                                claimed.Add(_ledger.Claim(transaction, terminal, ExecutionsTable.ReadRequest(transaction, terminal.Id)));
                            }
                        }

                        if (claims > 0)
                        {
                            claimed.AddRange(_ledger.ClaimJobs(transaction, claims));
                        }

                        CrashPoints.Reach(CrashPoint.ServerJobClaimed);
                        transaction.OnCommitted(() =>
                        {
                            foreach (EndedJob one in ended)
                            {
                                _live.Remove(one.Live);
                            }

                            foreach (ClaimedJob job in claimed)
                            {
                                Live(job);
                            }
                        });
                        return claimed;
                    },
                    CancellationToken.None);
            }
            catch (StoreException e) when (e.ConcernsTheWholeBatch)
            {
                Log.OutcomesNotStored(_logger, ended.Count, e);
                await Task.Delay(pause, _time, _stopping.Token);
            }
            catch (Exception e) when (e is not OperationCanceledException && ended.Count > 0)
            {
                Log.OutcomesNotStored(_logger, ended.Count, e);
                await StoreOneByOneAsync(ended);
                ended = []; // The caller's list is another: their slots are free whatever became of them.
            }
        }
    }

    private async Task StoreOneByOneAsync(List<EndedJob> ended)
    {
        foreach (EndedJob one in ended)
        {
            while (!await TryStoreAsync(one))
            {
                await Task.Delay(StoreRetryDelay, _time, _stopping.Token);
            }

            _live.Remove(one.Live);
        }
    }

    /// <summary>False when it is to be tried again; true also for one that is given up.</summary>
    private async Task<bool> TryStoreAsync(EndedJob one)
    {
        try
        {
            await _store.WriteAsync(transaction => Store(transaction, one), CancellationToken.None);
            return true;
        }
        catch (StoreException e) when (e.ConcernsTheWholeBatch)
        {
            Log.OutcomesNotStored(_logger, 1, e);
            return false;
        }
        catch (Exception e)
        {
            Log.OutcomeGivenUp(_logger, one.Live.Attempt.ExecutionId!.Value.Value, e);
            return true;
        }
    }

    private Execution? Store(StoreTransaction transaction, EndedJob one)
    {
        ExecutionId id = one.Live.Attempt.ExecutionId!.Value;
        return one.Outcome is { } outcome
            ? _ledger.Finish(transaction, id, one.Live.Id, outcome, e => e with { StartedAt = e.StartedAt ?? one.Live.StartedAt ?? StartOf(outcome) })
            : _ledger.Advance(transaction, id, one.Live.Id, ExecutionCommand.Unclaim);
    }

    private LiveAttempt Live(ClaimedJob job)
    {
        LiveAttempt live = _live.Ensure(job.Attempt, _folders.Of(job.Attempt.Id));
        live.TakesSlot = !job.Execution.IsTerminal;
        return live;
    }

    /// <summary>A job that came to an end before its start was heard of did start, unless it says it did not.</summary>
    private static long? StartOf(Outcome outcome) => outcome.State == ExecutionState.Lost || outcome.Cause == Protocol.Attempts.ExitCause.NotStarted ? null : outcome.AtMicroseconds;

    private async Task LaunchAsync(ClaimedJob job)
    {
        // Effects run in commit order on one thread of the store; this continuation may be quicker than they are, and both must mean the same object.
        LiveAttempt live = Live(job);
        live.ClaimedAt = _time.NowMicroseconds();
        try
        {
            _spec.Write(job);
            CrashPoints.Reach(CrashPoint.ServerSpecWritten);
            if (!await TryRunWarmAsync(live))
            {
                await RunFreshAsync(live);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or TimeoutException or LinkRefusedException)
        {
            Log.LaunchFailed(_logger, job.Execution.Id.Value, e);
            await RescueLaterAsync(live);
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or InvalidOperationException)
        {
            // What is stored of the request cannot be read, today or tomorrow: nothing was started, and trying again would keep a slot busy for ever.
            Log.LaunchFailed(_logger, job.Execution.Id.Value, e);
            Ended(live, new Outcome(ExecutionState.Failed, null, null, Protocol.Attempts.ExitCause.NotStarted, $"What the store has of its request cannot be read: {e.Message}", _time.NowMicroseconds()), null);
        }
    }

    private async Task<bool> TryRunWarmAsync(LiveAttempt live)
    {
        while (_warm.TryPop(out JobSupervisor? supervisor))
        {
            if (supervisor.Link.Closed.IsCompleted)
            {
                continue; // It left while it was idle.
            }

            supervisor.Assign(live);
            try
            {
                // A link that breaks in the middle of this leaves it open whether the folder was taken: the caller's rescue finds out.
                await supervisor.Link.RequestAsync(new LinkMessage { Type = LinkMessageType.Run, Directory = live.Files.Directory, Attempt = live.Id.Value }, _stopping.Token);
                await AttachAsync(live, supervisor.Link);
                return true;
            }
            catch (LinkRefusedException e)
            {
                // It certainly did not take it: the next one, or a new one, may.
                supervisor.Assign(null!);
                Log.WarmRefused(_logger, e);
            }
        }

        return false;
    }

    private async Task RunFreshAsync(LiveAttempt live)
    {
        var supervisor = new JobSupervisor(this);
        supervisor.Assign(live);
        (int _, System.Net.Sockets.Socket socket) = _spawner.Spawn(live.Files.Directory);
        CrashPoints.Reach(CrashPoint.ServerSupervisorSpawned);
        SupervisorLink link = await SupervisorLink.OverAsync(socket, live.Attempt.Nonce, supervisor.OnNotice, _time, _stopping.Token);
        supervisor.Open(link);
        await AttachAsync(live, link);
    }

    private async Task AttachAsync(LiveAttempt live, SupervisorLink link)
    {
        live.Attach(link);
        if (live.IsStopRequested)
        {
            try
            {
                await StopAsync(live, link);
            }
            catch (Exception e) when (e is IOException or LinkRefusedException)
            {
                // The link broke, and whoever attaches the next one passes the wish on; or the job ended first, and keeps its own result.
            }
        }
    }

    /// <summary>Passes a cancel on. The outcome, and nothing else, makes the execution cancelled.</summary>
    public async Task StopAsync(LiveAttempt live, SupervisorLink link) => await link.RequestAsync(
        new LinkMessage
        {
            Type = LinkMessageType.Stop, Attempt = live.Id.Value, Cause = Protocol.Attempts.ExitCause.Cancelled, GraceMs = (long)_options.StopGrace.TotalMilliseconds,
        },
        _stopping.Token);

    private void Retire(JobSupervisor? supervisor)
    {
        if (supervisor is not null && !supervisor.Link.Closed.IsCompleted)
        {
            _warm.Push(supervisor);
        }
    }

    /// <summary>Those that left while they were idle, or were killed, no longer count among the warm. Before the count is looked at, which is the only time that it matters.</summary>
    private void ForgetDeadWarm()
    {
        if (!_hasDeadWarm)
        {
            return;
        }

        _hasDeadWarm = false;
        var living = new List<JobSupervisor>();
        while (_warm.TryPop(out JobSupervisor? supervisor))
        {
            if (!supervisor.Link.Closed.IsCompleted)
            {
                living.Add(supervisor);
            }
        }

        for (int i = living.Count - 1; i >= 0; i--)
        {
            _warm.Push(living[i]);
        }
    }

    private async Task ReleaseAsync(JobSupervisor supervisor)
    {
        try
        {
            await supervisor.Link.RequestAsync(new LinkMessage { Type = LinkMessageType.Release }, _stopping.Token);
        }
        catch (Exception e) when (e is IOException or LinkRefusedException or OperationCanceledException)
        {
            // It leaves by itself when idle.
        }
    }

    /// <summary>What kept a job from being launched, such as a full disk or process table, seldom passes at once: each failure keeps its slot for a pause.</summary>
    private async Task RescueLaterAsync(LiveAttempt live)
    {
        try
        {
            await Task.Delay(StoreRetryDelay, _time, _stopping.Token);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            return; // The next server's recovery finds it.
        }

        await RescueAsync(live);
    }

    private async Task RescueAsync(LiveAttempt live)
    {
        try
        {
            await SettleAsync(live, await _rescuer.JudgeAsync(live, _stopping.Token), _stopping.Token);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The next server's recovery finds it.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Protocol.Attempts.AttemptFormatException)
        {
            // The folder cannot be read or made void now (no descriptors, no room): an attempt without a verdict would hold its slot for ever.
            Log.LaunchFailed(_logger, live.Attempt.ExecutionId!.Value.Value, e);
            await RescueLaterAsync(live);
        }
    }

    /// <summary>Acts on a verdict: attach again, take the outcome, put back into the queue, or call it lost.</summary>
    private async Task SettleAsync(LiveAttempt live, AttemptVerdict verdict, CancellationToken cancellationToken)
    {
        switch (verdict.Fate)
        {
            case AttemptFate.Alive:
                var supervisor = new JobSupervisor(this);
                supervisor.Assign(live);
                SupervisorLink? link = await _rescuer.ReattachAsync(live, supervisor.OnNotice, cancellationToken);
                if (link is null)
                {
                    supervisor.Assign(null!);
                    _ = RescueAsync(live);
                    return;
                }

                supervisor.Open(link);
                Catch(live, supervisor, link.Welcome);
                await AttachAsync(live, link);
                break;
            case AttemptFate.Ended:
                Ended(live, JobOutcome.Of(verdict.Exit!), null);
                break;
            case AttemptFate.NeverStarted:
                Settled(new EndedJob(live, null, null));
                break;
            default:
                _meters.SupervisorDied();
                int killed = LeftoverSweep.Run(live.Id.Value, live.Attempt.Nonce);
                string reason = verdict.Reason! + (killed > 0 ? $" {killed} process(es) it left running were ended." : "");
                Ended(live, JobOutcome.Lost(reason, _time.NowMicroseconds()), null);
                break;
        }
    }

    /// <summary>What happened while nobody was connected: the welcome says where the supervisor is now, and notices only tell what comes after.</summary>
    private void Catch(LiveAttempt live, JobSupervisor supervisor, LinkMessage welcome)
    {
        if (File.Exists(live.Files.Exit))
        {
            supervisor.Assign(null!);
            Ended(live, JobOutcome.Of(Protocol.Attempts.ExitRecord.Read(File.ReadAllBytes(live.Files.Exit))), supervisor);
            return;
        }

        if (File.Exists(live.Files.Child))
        {
            ConfirmRunning(live, UnixTime.FromNanoseconds(Protocol.Attempts.ChildRecord.Read(File.ReadAllBytes(live.Files.Child)).AtUnixNanoseconds));
            Moved(live, welcome.State == "paused" ? ExecutionCommand.ConfirmPaused : ExecutionCommand.ConfirmResumed);
        }
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
        [LoggerMessage(EventIds.JobLaunchFailed, LogLevel.Error, "Job {ExecutionId} could not be launched; its folder decides what becomes of it.")]
        public static partial void LaunchFailed(ILogger logger, string executionId, Exception exception);

        [LoggerMessage(EventIds.JobRoundFailed, LogLevel.Error, "A round of the dispatcher failed; the next one tries again.")]
        public static partial void RoundFailed(ILogger logger, Exception exception);

        [LoggerMessage(EventIds.JobWarmRefused, LogLevel.Warning, "A warm supervisor refused a job; another is used.")]
        public static partial void WarmRefused(ILogger logger, Exception exception);

        [LoggerMessage(EventIds.JobOutcomesNotStored, LogLevel.Error, "{Count} outcomes could not be stored; they are durable in their folders and are tried again.")]
        public static partial void OutcomesNotStored(ILogger logger, int count, Exception exception);

        [LoggerMessage(EventIds.JobOutcomeGivenUp, LogLevel.Error, "The outcome of execution {Execution} cannot be stored; its record is durable in its folder, and the next start tries again.")]
        public static partial void OutcomeGivenUp(ILogger logger, string execution, Exception exception);

        [LoggerMessage(EventIds.JobChangeNotStored, LogLevel.Warning, "A change of state on the way could not be stored.")]
        public static partial void ChangeNotStored(ILogger logger, Exception exception);
    }
}
