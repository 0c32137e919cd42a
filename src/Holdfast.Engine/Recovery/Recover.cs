using System.Text.Json;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Jobs;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol;
using Holdfast.Protocol.Jupyter;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Recovery;

/// <summary>
/// Start-up, the same after a crash, a stop or an upgrade:
/// 1. store: open it (its own recovery is SQLite's) and read which attempts are open;
/// 2. jobs and 3. kernels: judge each attempt by its folder; attach to what lives, take the outcome of what ended, put back into the queue what never
/// started, call lost what cannot be known. Journals are read on from where runs began, which gives what happened while no server was there;
/// Beside them, locks: nobody who has ended stands in a line;
/// 4. runs: fold outputs again and go on saving them; 5. queue: dispatch.
/// One attempt's silence costs the start at most <see cref="PatienceForOne"/>; it is gone on with in the background.
/// </summary>
internal sealed partial class Recover(
    StateStore store, ExecutionLedger executions, JobDispatcher dispatcher, LiveKernels kernels, ActiveRuns runs, KernelRenewal renewal, AttemptFolders folders, TimeProvider time, ILogger<Recover> logger)
{
    private static readonly TimeSpan PatienceForOne = TimeSpan.FromSeconds(2);

    private readonly List<RecoveryPhase> _phases = [];
    private readonly List<RecoveredAttempt> _attempts = []; // guarded by itself
    private readonly long _startedAt = time.NowMicroseconds();
    private readonly long _start = time.GetTimestamp();
    private bool _isComplete;
    private double _milliseconds;
    private long _queued;

    public RecoveryReport Report
    {
        get
        {
            lock (_attempts)
            {
                return new RecoveryReport
                {
                    IsComplete = _isComplete,
                    StartedAt = _startedAt,
                    Milliseconds = _isComplete ? _milliseconds : time.GetElapsedTime(_start).TotalMilliseconds,
                    Phases = [.. _phases],
                    Attempts = [.. _attempts],
                    Queued = _queued,
                };
            }
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        List<Attempt> open = [];
        List<Run> openRuns = [];
        await PhaseAsync("store", () =>
        {
            (open, openRuns, _queued) = store.Read(reader => (AttemptsTable.Open(reader), RunsTable.Open(reader), ExecutionsTable.CountQueued(reader)));
            return Task.FromResult(open.Count);
        });
        CrashPoints.Reach(CrashPoint.ServerRecoveryBegun);
        Attempt[] jobs = [.. open.Where(a => a.ExecutionId is not null)];
        Task recoverJobs = PhaseAsync("jobs", async () =>
        {
            await Task.WhenAll(jobs.Select(a => BoundedAsync(a, AdoptJobAsync(a, cancellationToken), cancellationToken)));
            return jobs.Length;
        });
        Task recoverKernels = PhaseAsync("kernels", () => RecoverKernelsAsync([.. open.Where(a => a.KernelId is not null)], openRuns, cancellationToken));
        Task recoverLocks = PhaseAsync("locks", async () => await store.WriteAsync(executions.RepairLocks, cancellationToken));
        await Task.WhenAll(recoverJobs, recoverKernels, recoverLocks);
        await PhaseAsync("queue", () =>
        {
            dispatcher.Start();
            return Task.FromResult((int)_queued);
        });
        lock (_attempts)
        {
            _milliseconds = time.GetElapsedTime(_start).TotalMilliseconds;
            _isComplete = true;
        }

        Log.Recovered(logger, open.Count, _queued, _milliseconds);
    }

    private async Task AdoptJobAsync(Attempt attempt, CancellationToken cancellationToken)
    {
        await Task.Yield(); // Judging reads files: many at once are better off on the pool.
        string directory = folders.Of(attempt.Id);
        AttemptVerdict verdict = AttemptVerdict.Of(directory, attempt.BootId);
        Note(attempt, verdict);
        Execution? execution = store.Read(reader => ExecutionsTable.Find(reader, attempt.ExecutionId!.Value));
        var live = new LiveAttempt(attempt, directory) { IsStopRequested = execution?.IsCancelRequested ?? false, TakesSlot = execution is not { IsTerminal: true } };
        await dispatcher.AdoptAsync(live, verdict, cancellationToken);
    }

    private async Task<int> RecoverKernelsAsync(List<Attempt> attempts, List<Run> openRuns, CancellationToken cancellationToken)
    {
        // A run that was not closed although its kernel's end is stored already: its journal has everything still to be done.
        foreach (Run run in openRuns.Where(r => !attempts.Exists(a => a.Id == r.AttemptId)))
        {
            if (store.Read(reader => AttemptsTable.Find(reader, run.AttemptId)) is { } ended && !attempts.Exists(a => a.Id == ended.Id))
            {
                attempts.Add(ended);
            }
        }

        await Task.WhenAll(attempts.Select(a => BoundedAsync(a, AdoptKernelAsync(a, openRuns.FindAll(r => r.AttemptId == a.Id), cancellationToken), cancellationToken)));
        return attempts.Count;
    }

    private async Task AdoptKernelAsync(Attempt attempt, List<Run> ofKernel, CancellationToken cancellationToken)
    {
        await Task.Yield();
        Kernel? kernel = store.Read(reader => KernelsTable.Find(reader, new KernelId(attempt.KernelId!)));
        if (kernel is null)
        {
            return;
        }

        AttemptVerdict verdict = AttemptVerdict.Of(folders.Of(attempt.Id), attempt.BootId);
        Note(attempt, verdict);
        KernelSpec? spec = verdict.Fate == AttemptFate.NeverStarted && (ofKernel.Count > 0 || kernel.Restarts > 0) && kernel.AttemptId == attempt.Id
            ? KernelSpecSearch.Search().Find(kernel.SpecName)
            : null;
        if (spec is not null)
        {
            (kernel, attempt, ofKernel) = await renewal.RunAsync(kernel, attempt, ofKernel, cancellationToken);
        }

        var cellsOf = ofKernel.ToDictionary(r => r.Id, CellsOf);
        List<ActiveRun> active = ofKernel.ConvertAll(r => runs.Track(r, cellsOf[r.Id]));
        (long position, List<Execution> sent) = store.Read(reader => (AttemptsTable.ReadFrom(reader, attempt.Id), ExecutionsTable.RunningSent(reader, attempt.Id)));
        position = ofKernel.Aggregate(position, (first, run) => Math.Min(first, run.StartPosition)); // A run's folds are made again from its beginning.
        IEnumerable<ExecutionId> handedOver = cellsOf.Values.SelectMany(c => c).Where(c => !c.Execution.State.IsTerminal()).Select(c => c.Execution.Id);
        if (spec is not null)
        {
            kernels.Launch(kernel, attempt, spec, handedOver, Begin);
            return;
        }

        await kernels.AdoptAsync(kernel, attempt, verdict, position, handedOver, Begin, cancellationToken);

        // The server may have died between the end of a run and the stop of the kernel that it had started. One that a client has used since is kept: it is that client's now.
        if (verdict.Fate == AttemptFate.Alive && store.Read(reader => RunsTable.HasLeftKernel(reader, attempt.Id) && !ExecutionsTable.HasSent(reader, attempt.Id)))
        {
            _ = runs.StopKernelAsync(kernel.Id);
        }

        void Begin(LiveKernel live)
        {
            sent.ForEach(live.Know);
            foreach (ActiveRun run in active)
            {
                live.Listen(run);
                runs.Begin(run, live, cellsOf[run.Run.Id]);
            }
        }
    }

    private List<(Execution Execution, CellRequest Request)> CellsOf(Run run) => store.Read(reader =>
        ExecutionsTable.OfRun(reader, run.Id).ConvertAll(execution => (execution,
            JsonSerializer.Deserialize(ExecutionsTable.ReadRequest(reader, execution.Id), CellJson.Default.CellRequest)!)));

    private void Note(Attempt attempt, AttemptVerdict verdict)
    {
        string name = verdict.Fate switch
        {
            AttemptFate.Alive => "readopted",
            AttemptFate.Ended => "ended",
            AttemptFate.NeverStarted => "requeued",
            _ => "lost",
        };
        lock (_attempts)
        {
            _attempts.Add(new RecoveredAttempt(attempt.Id.Value, attempt.ExecutionId?.Value, attempt.KernelId, name, verdict.Reason ?? verdict.Exit?.Reason));
        }
    }

    /// <summary>Waits for one attempt, but not for ever: a supervisor that is stopped must not keep the server from starting.</summary>
    private async Task BoundedAsync(Attempt attempt, Task one, CancellationToken cancellationToken)
    {
        try
        {
            await one.WaitAsync(PatienceForOne, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // It goes on by itself and is shown as stale until it answers.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Its folder cannot be judged: this one is left as it is, open and untouched, and the rest of the house starts. The next start looks again.
            lock (_attempts)
            {
                _attempts.Add(new RecoveredAttempt(attempt.Id.Value, attempt.ExecutionId?.Value, attempt.KernelId, "quarantined", e.Message));
            }

            Log.Quarantined(logger, attempt.Id.Value, e);
        }
    }

    private async Task PhaseAsync(string name, Func<Task<int>> run)
    {
        long start = time.GetTimestamp();
        int found = await run();
        lock (_attempts)
        {
            _phases.Add(new RecoveryPhase(name, time.GetElapsedTime(start).TotalMilliseconds, found, null));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.AttemptQuarantined, LogLevel.Error, "Attempt {Attempt} could not be judged and is left as it is until the next start.")]
        public static partial void Quarantined(ILogger logger, string attempt, Exception exception);

        [LoggerMessage(EventIds.Recovered, LogLevel.Information, "Recovered: {Open} attempts were open, {Queued} jobs are queued, in {Milliseconds:F0} ms.")]
        public static partial void Recovered(ILogger logger, int open, long queued, double milliseconds);
    }
}
