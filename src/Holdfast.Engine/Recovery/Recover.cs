using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Jobs;
using Holdfast.Engine.Locks;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Store;
using Holdfast.Protocol;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Recovery;

/// <summary>
/// Start-up, the same after a crash, a stop or an upgrade. <see cref="RecoveryPhases"/> says what comes after what:
/// 1. store (its own recovery is SQLite's): which attempts and runs are open, and whether the start-up before this one came to its end;
/// 2. files that were being written; 3. executions and attempts held against each other;
/// 4. jobs and kernels, each attempt by itself (<see cref="AttemptRecovery"/>), and beside them the locks of those that have ended;
/// 5. the lines of locks, and what nobody owns any more; 6. dispatch; 7. callbacks.
/// Every step finds again what it left when it was killed in the middle, so that an interrupted start-up is finished by the next one.
/// </summary>
internal sealed partial class Recover
{
    private readonly StateStore _store;
    private readonly ExecutionLedger _executions;
    private readonly JobDispatcher _dispatcher;
    private readonly AttemptRecovery _attempts;
    private readonly ExecutionCheck _check;
    private readonly RecoveryDiary _diary;
    private readonly PhaseRunner _runner;
    private readonly ILogger _logger;

    private List<Attempt> _open = [];
    private List<Run> _openRuns = [];
    private HashSet<AttemptId> _strays = [];

    public Recover(
        StateStore store,
        FeedLog feed,
        ExecutionLedger executions,
        JobDispatcher dispatcher,
        AttemptRecovery attempts,
        ExecutionCheck check,
        string dataDirectory,
        IReadOnlyDictionary<string, Func<CancellationToken, Task<PhaseResult>>> ofFeatures,
        TimeProvider time,
        ILogger<Recover> logger
    )
    {
        (_store, _executions, _dispatcher, _attempts, _check, _logger) = (store, executions, dispatcher, attempts, check, logger);
        _diary = new RecoveryDiary(store, feed, attempts, time, logger);
        Plan = new RecoveryPlan(RecoveryPhases.Declared);
        var bodies = new Dictionary<string, Func<CancellationToken, Task<PhaseResult>>>(ofFeatures)
        {
            [RecoveryPhases.Store] = ReadStoreAsync,
            [RecoveryPhases.Files] = _ => Task.FromResult(new PhaseResult(TornFiles.Remove(dataDirectory))),
            [RecoveryPhases.Executions] = CheckExecutionsAsync,
            [RecoveryPhases.Locks] = CheckLocksAsync,
            [RecoveryPhases.Jobs] = cancel =>
                _diary.IsComplete
                    ? attempts.RetryAsync(static a => a.ExecutionId is not null, cancel)
                    : attempts.RecoverJobsAsync([.. Adoptable().Where(static a => a.ExecutionId is not null)], cancel),
            [RecoveryPhases.Kernels] = cancel =>
                _diary.IsComplete
                    ? attempts.RetryAsync(static a => a.KernelId is not null, cancel)
                    : attempts.RecoverKernelsAsync([.. Adoptable().Where(static a => a.KernelId is not null)], _openRuns, cancel),
            [RecoveryPhases.Lines] = CheckLinesAsync,
            [RecoveryPhases.Queue] = StartQueueAsync,
        };
        _runner = new PhaseRunner(Plan, bodies, _diary.Ended, time, logger);
    }

    public RecoveryPlan Plan { get; }

    public RecoveryReport Report => _diary.Report;

    /// <summary>The start-ups before this one, latest first.</summary>
    public IReadOnlyList<RecoveryReport> History => _diary.History;

    /// <summary>Refused: recovery-failed.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await _runner.RunAsync(cancellationToken);
        await _diary.FinishAsync();
        RecoveryReport report = Report;
        Log.Recovered(_logger, _open.Count, report.Queued, report.Milliseconds);
    }

    /// <summary>One phase again, while the server runs, and behind it those that were left out because of it.</summary>
    public async Task<IReadOnlyList<RecoveryPhase>> RepeatAsync(PhaseDeclaration phase, CancellationToken cancellationToken)
    {
        HashSet<string> leftOut = [.. Report.Phases.Where(static p => p.HasFailed).Select(static p => p.Name)];
        List<RecoveryPhase> lines = [await _runner.RunOneAsync(phase, cancellationToken)];
        if (!lines[0].HasFailed)
        {
            foreach (PhaseDeclaration behind in Plan.Behind(phase.Name).Where(p => p.NeedsSuccess && leftOut.Contains(p.Name)))
            {
                lines.Add(await _runner.RunOneAsync(behind, cancellationToken));
            }
        }

        return lines;
    }

    private IEnumerable<Attempt> Adoptable() => _open.Where(a => !_strays.Contains(a.Id));

    private async Task<PhaseResult> ReadStoreAsync(CancellationToken cancellationToken)
    {
        long queued;
        (_open, _openRuns, queued) = _store.Read(reader =>
            (AttemptsTable.Open(reader), RunsTable.Open(reader), ExecutionsTable.CountQueued(reader))
        );
        await _diary.BeginAsync(queued, cancellationToken);
        CrashPoints.Reach(CrashPoint.ServerRecoveryBegun);
        return new PhaseResult(_open.Count);
    }

    private async Task<PhaseResult> CheckExecutionsAsync(CancellationToken cancellationToken)
    {
        ExecutionCheck.Findings findings = await _check.RunAsync(_open, cancellationToken);
        _strays = findings.Strays;
        return new PhaseResult(findings.Checked, findings.Problems.Count == 0 ? null : string.Join(" ", findings.Problems));
    }

    /// <summary>Nobody who has ended stands in a line.</summary>
    private async Task<PhaseResult> CheckLocksAsync(CancellationToken cancellationToken)
    {
        (List<ExecutionId> ended, int held) = _store.Read(reader =>
            (LocksTable.Ended(reader), LocksTable.CountEntries(reader, isGranted: true))
        );
        return await EachAsync(
            held,
            ended,
            id => _store.WriteAsync(transaction => _executions.LeaveLines(transaction, id), cancellationToken),
            static id => $"The locks of execution {id}"
        );
    }

    /// <summary>Nobody waits who stands first in all of its lines.</summary>
    private async Task<PhaseResult> CheckLinesAsync(CancellationToken cancellationToken)
    {
        (List<(long Place, ExecutionId Id)> first, int waiting) = _store.Read(reader =>
            (LocksTable.FirstInAll(reader), LocksTable.CountEntries(reader, isGranted: false))
        );
        return await EachAsync(
            waiting,
            first,
            one => _store.WriteAsync(transaction => _executions.GrantIfFirst(transaction, one.Place, one.Id), cancellationToken),
            static one => $"The locks of execution {one.Id}"
        );
    }

    /// <summary>Each by itself: one damaged row costs the others nothing.</summary>
    private static async Task<PhaseResult> EachAsync<T>(int found, List<T> items, Func<T, Task> mend, Func<T, string> name)
    {
        var problems = new List<string>();
        // All handed to the store at once, in order: they share a commit, and none another's fault.
        foreach ((T item, Task mending) in items.ConvertAll(item => (item, mend(item))))
        {
            try
            {
                await mending;
            }
            catch (Exception e) when (e is StoreException { ConcernsTheWholeBatch: false } or InvalidOperationException)
            {
                problems.Add($"{name(item)}: {e.Message}");
            }
        }

        return new PhaseResult(found, problems.Count == 0 ? null : string.Join(" ", problems));
    }

    private Task<PhaseResult> StartQueueAsync(CancellationToken cancellationToken)
    {
        _dispatcher.Start();
        return Task.FromResult(new PhaseResult((int)Report.Queued));
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.Recovered,
            LogLevel.Information,
            "Recovered: {Open} attempts were open, {Queued} jobs are queued, in {Milliseconds:F0} ms."
        )]
        public static partial void Recovered(ILogger logger, int open, long queued, double milliseconds);
    }
}
