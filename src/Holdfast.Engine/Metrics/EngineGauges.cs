using System.Diagnostics.Metrics;
using Holdfast.Engine.Assets;
using Holdfast.Engine.Callbacks;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Locks;
using Holdfast.Engine.Recovery;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;

namespace Holdfast.Engine.Metrics;

/// <summary>
/// What is, as against what happens: looked up when somebody asks for the instruments. 1. All that the store knows comes from one look into
/// it, however many instruments ask.
/// 2. What takes a walk over files (journals' sizes, followers' lags, supervisors' processes) is looked up beside the asking and may be
/// some seconds old, so that a scrape stays short with a thousand of them.
/// </summary>
internal sealed class EngineGauges
{
    private static readonly TimeSpan OneScrape = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan WalkInterval = TimeSpan.FromSeconds(5);

    private readonly EngineMeters _meters;
    private readonly StateStore _store;
    private readonly LiveAttempts _attempts;
    private readonly LiveKernels _kernels;
    private readonly DataDirectoryPaths _paths;
    private readonly TimeProvider _time;
    private readonly Lock _looking = new();
    private StoreLook? _look; // guarded by _looking
    private long _lookedAt; // guarded by _looking
    private volatile FileWalk? _walk;
    private long _walkedAt;
    private int _isWalking;

    private sealed record StoreLook(
        List<StateCount> Executions,
        long? OldestQueuedAt,
        LockCount Locks,
        List<(CallbackState State, long Count)> Callbacks,
        (long Count, long Bytes) Assets
    );

    private sealed record FileWalk(
        Dictionary<string, long> Supervisors,
        long JournalBytes,
        (int Count, long LagMax) Journal,
        (int Count, long LagMax) Feed
    );

    public EngineGauges(
        EngineMeters meters,
        StateStore store,
        LiveAttempts attempts,
        LiveKernels kernels,
        DataDirectoryPaths paths,
        Func<RecoveryReport> recovery,
        TimeProvider time
    )
    {
        (_meters, _store, _attempts, _kernels, _paths, _time) = (meters, store, attempts, kernels, paths, time);
        Meter meter = meters.Meter;
        _ = meter.CreateObservableGauge(
            "holdfast.executions",
            () => Look().Executions.Select(static c => Of(c.Count, ("kind", c.Kind), ("state", c.State))),
            "{execution}",
            "Executions that have not ended, by state."
        );
        _ = meter.CreateObservableGauge(
            "holdfast.queue.depth",
            () => Look().Executions[0].Count,
            "{execution}",
            "Jobs that wait for a slot."
        );
        _ = meter.CreateObservableGauge(
            "holdfast.queue.oldest.age",
            () => Look().OldestQueuedAt is { } at ? Math.Max(0, time.NowMicroseconds() - at) / 1e6 : 0,
            "s",
            "How long ago the next job in the queue was accepted; 0 when it is empty."
        );
        _ = meter.CreateObservableGauge("holdfast.locks.held", () => Look().Locks.Held, "{lock}", "Locks that are held.");
        _ = meter.CreateObservableGauge(
            "holdfast.locks.waiting",
            () => Look().Locks.Waiting,
            "{execution}",
            "Executions that wait for locks."
        );
        _ = meter.CreateObservableGauge(
            "holdfast.callbacks",
            () => Look().Callbacks.Select(static c => Of(c.Count, ("state", c.State.Name()))),
            "{callback}",
            "Callbacks that have not been delivered, by state."
        );
        _ = meter.CreateObservableGauge("holdfast.assets", () => Look().Assets.Count, "{asset}", "Assets that are kept.");
        _ = meter.CreateObservableGauge("holdfast.assets.size", () => Look().Assets.Bytes, "By", "What they take together.");
        _ = meter.CreateObservableGauge(
            "holdfast.supervisors",
            Supervisors,
            "{supervisor}",
            "Supervisors of running work, by how they stand; at most some seconds old."
        );
        _ = meter.CreateObservableGauge("holdfast.kernels", Kernels, "{kernel}", "Kernels that have a process, by execution state.");
        _ = meter.CreateObservableGauge(
            "holdfast.kernels.clients",
            () => kernels.All.Sum(static k => (long)k.Connections),
            "{client}",
            "Clients connected to kernels."
        );
        _ = meter.CreateObservableGauge(
            "holdfast.journal.size",
            () => Walk().JournalBytes,
            "By",
            "Journals of the work that runs now; at most some seconds old."
        );
        _ = meter.CreateObservableGauge("holdfast.followers", Followers, "{follower}", "Who follows a journal or the feed now.");
        _ = meter.CreateObservableGauge(
            "holdfast.followers.journal.lag",
            () => Walk().Journal.LagMax,
            "By",
            "Journal bytes that the follower furthest behind has not read."
        );
        _ = meter.CreateObservableGauge(
            "holdfast.followers.feed.lag",
            () => Walk().Feed.LagMax,
            "{event}",
            "Events that the follower of the feed furthest behind has not read."
        );
        _ = meter.CreateObservableGauge(
            "holdfast.recovery.duration",
            () => recovery().Milliseconds / 1000,
            "s",
            "What this start-up took to take up the work again."
        );
        _ = meter.CreateObservableGauge(
            "holdfast.recovery.phase.duration",
            () => recovery().Phases.Select(static p => Of(p.Milliseconds / 1000, ("phase", p.Name))),
            "s",
            "What each phase of this start-up took."
        );
        _ = meter.CreateObservableGauge(
            "holdfast.recovery.phase.found",
            () => recovery().Phases.Select(static p => Of((long)p.Found, ("phase", p.Name))),
            "{item}",
            "What each phase of this start-up had to look after."
        );
        _ = meter.CreateObservableGauge(
            "holdfast.recovery.phase.failed",
            () => recovery().Phases.Select(static p => Of(p.Problem is null ? 0L : 1, ("phase", p.Name))),
            "{phase}",
            "1 for each phase of this start-up that had a problem."
        );
        _ = meter.CreateObservableGauge(
            "holdfast.recovery.attempts",
            () => recovery().Attempts.CountBy(static a => a.Verdict).Select(static v => Of((long)v.Value, ("verdict", v.Key))),
            "{attempt}",
            "Attempts that were open at this start-up, by what became of them."
        );
        _ = meter.CreateObservableGauge("holdfast.store.size", StoreSizes, "By", "The database's files.");
        _ = meter.CreateObservableGauge(
            "holdfast.disk.free",
            () => new DriveInfo(paths.Root).AvailableFreeSpace,
            "By",
            "Room on the data directory's disk."
        );
    }

    private StoreLook Look()
    {
        lock (_looking)
        {
            if (_look is null || _time.GetElapsedTime(_lookedAt) > OneScrape)
            {
                _look = _store.Read(static reader => new StoreLook(
                    OpenCounts.Read(reader),
                    OpenCounts.OldestQueued(reader),
                    LocksTable.Count(reader),
                    CallbacksTable.CountOpen(reader),
                    AssetsTable.Total(reader)
                ));
                _lookedAt = _time.GetTimestamp();
            }

            return _look;
        }
    }

    private IEnumerable<Measurement<long>> Supervisors() => Walk().Supervisors.Select(static c => Of(c.Value, ("liveness", c.Key)));

    private IEnumerable<Measurement<long>> Kernels() =>
        _kernels.All.CountBy(static k => k.ExecutionState).Select(static c => Of((long)c.Value, ("state", c.Key)));

    private IEnumerable<Measurement<long>> Followers()
    {
        FileWalk walk = Walk();
        return [Of((long)walk.Journal.Count, ("of", FollowerTally.Journal)), Of((long)walk.Feed.Count, ("of", FollowerTally.Feed))];
    }

    private IEnumerable<Measurement<long>> StoreSizes()
    {
        foreach ((string file, string suffix) in ((string, string)[])[("database", ""), ("wal", "-wal")])
        {
            if (new FileInfo(_paths.Database + suffix) is { Exists: true } found)
            {
                yield return Of(found.Length, ("file", file));
            }
        }
    }

    /// <summary>What the last walk found; the next one begins when it is old.</summary>
    private FileWalk Walk()
    {
        if (_walk is null)
        {
            WalkFiles(); // Whoever asks first waits for it: what is not known yet is not nothing.
        }
        else if (_time.GetElapsedTime(Volatile.Read(ref _walkedAt)) > WalkInterval && Interlocked.Exchange(ref _isWalking, 1) == 0)
        {
            _ = Task.Run(WalkFiles);
        }

        return _walk!;
    }

    private void WalkFiles()
    {
        try
        {
            long bytes = 0;
            var supervisors = Enum.GetValues<SupervisorLiveness>().ToDictionary(static l => l.Name(), static _ => 0L);
            foreach (LiveAttempt attempt in _attempts.All)
            {
                bytes += SizeOf(attempt.Files.Journal);
                supervisors[ListSupervisors.Look(attempt).Liveness.Name()]++;
            }

            _walk = new FileWalk(
                supervisors,
                bytes,
                _meters.Followers.Look(FollowerTally.Journal),
                _meters.Followers.Look(FollowerTally.Feed)
            );
        }
        finally
        {
            Volatile.Write(ref _walkedAt, _time.GetTimestamp());
            Volatile.Write(ref _isWalking, 0);
        }
    }

    private static long SizeOf(string journal)
    {
        try
        {
            return new DirectoryInfo(journal).EnumerateFiles().Sum(static f => f.Length);
        }
        catch (IOException)
        {
            return 0; // It is not there yet, or no more.
        }
    }

    private static Measurement<T> Of<T>(T value, params ReadOnlySpan<(string Name, string Value)> tags)
        where T : struct
    {
        var pairs = new KeyValuePair<string, object?>[tags.Length];
        for (int i = 0; i < tags.Length; i++)
        {
            pairs[i] = new(tags[i].Name, tags[i].Value);
        }

        return new Measurement<T>(value, pairs);
    }
}
