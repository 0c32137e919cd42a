using System.Collections.Concurrent;
using System.Text.Json;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Jobs;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Processes;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Recovery;

/// <summary>
/// Judges the attempts that were open when the server started, each by its folder, and each by itself: attaches to what lives, takes the
/// outcome of what ended, puts back into the queue what never started, calls lost what cannot be known. One that cannot be judged is left
/// as it is, open and untouched, and tried again when a person says so or at the next start; one that a person has quarantined is left
/// alone until a person takes it out. One attempt's silence costs the start at most <see cref="PatienceForOne"/>; it is gone on with in the
/// background.
/// </summary>
internal sealed partial class AttemptRecovery(
    StateStore store,
    JobDispatcher dispatcher,
    LiveKernels kernels,
    ActiveRuns runs,
    KernelRenewal renewal,
    AttemptFolders folders,
    TimeProvider time,
    ILogger logger
)
{
    private const int LooksAtTheDying = 20;
    private static readonly TimeSpan DyingPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan PatienceForOne = TimeSpan.FromSeconds(2);

    private const string Readopted = "readopted";

    private readonly ConcurrentDictionary<string, RecoveredAttempt> _verdicts = new(); // by attempt

    // those of which nothing lives in the house: the only ones that may be tried again
    private readonly ConcurrentDictionary<string, Attempt> _pending = new();

    /// <summary>The verdicts so far, in the order of the attempts.</summary>
    public IReadOnlyList<RecoveredAttempt> Verdicts => [.. _verdicts.Values.OrderBy(static v => v.Attempt, StringComparer.Ordinal)];

    public IReadOnlyList<Attempt> Pending => [.. _pending.Values];

    public Task<PhaseResult> RecoverJobsAsync(IReadOnlyList<Attempt> attempts, CancellationToken cancellationToken) =>
        RecoverAsync(attempts, cancellationToken);

    /// <summary>
    /// With the kernels that the open runs need: a run that was not closed although its kernel's end is stored already is finished from the
    /// kernel's journal.
    /// </summary>
    public Task<PhaseResult> RecoverKernelsAsync(List<Attempt> attempts, List<Run> openRuns, CancellationToken cancellationToken)
    {
        foreach (Run run in openRuns.Where(r => !attempts.Exists(a => a.Id == r.AttemptId)))
        {
            if (store.Read(reader => AttemptsTable.Find(reader, run.AttemptId)) is { } ended && !attempts.Exists(a => a.Id == ended.Id))
            {
                attempts.Add(ended);
            }
        }

        return RecoverAsync(attempts, cancellationToken);
    }

    /// <summary>Those of one kind that are pending, again.</summary>
    public Task<PhaseResult> RetryAsync(Func<Attempt, bool> which, CancellationToken cancellationToken) =>
        RecoverAsync([.. _pending.Values.Where(which)], cancellationToken);

    /// <summary>One attempt, with the verdict that a person gives it, or else the one of its folder.</summary>
    public async Task<RecoveredAttempt> RecoverOneAsync(Attempt attempt, AttemptVerdict? given, CancellationToken cancellationToken)
    {
        _pending[attempt.Id.Value] = attempt;
        await BoundedAsync(attempt, given, cancellationToken);
        return _verdicts[attempt.Id.Value];
    }

    public void SetAside(Attempt attempt, string reason)
    {
        _pending[attempt.Id.Value] = attempt;
        Note(attempt, "quarantined", reason);
    }

    private async Task<PhaseResult> RecoverAsync(IReadOnlyList<Attempt> attempts, CancellationToken cancellationToken)
    {
        Dictionary<string, string> quarantined = store.Read(QuarantineTable.Reasons);
        foreach (Attempt attempt in attempts.Where(a => quarantined.ContainsKey(a.Id.Value)))
        {
            SetAside(attempt, quarantined[attempt.Id.Value]);
        }

        Attempt[] judged = [.. attempts.Where(a => !quarantined.ContainsKey(a.Id.Value))];
        await Task.WhenAll(judged.Select(a => BoundedAsync(a, null, cancellationToken)));
        int damaged = judged.Count(a => _pending.ContainsKey(a.Id.Value));
        int mute = judged.Count(a =>
            _verdicts.TryGetValue(a.Id.Value, out RecoveredAttempt? verdict) && verdict is { Verdict: Readopted, Reason: not null }
        );
        string[] problems =
        [
            .. damaged == 0 ? [] : (string[])[$"{damaged} could not be judged, and are left as they are; each says why."],
            .. mute == 0 ? [] : (string[])[$"{mute} live and could not be connected to, and are tried again; each says why."],
        ];
        return new PhaseResult(attempts.Count, problems.Length == 0 ? null : string.Join(' ', problems));
    }

    /// <summary>Waits for one attempt, but not for ever: a supervisor that is stopped must not keep the server from starting.</summary>
    private async Task BoundedAsync(Attempt attempt, AttemptVerdict? given, CancellationToken cancellationToken)
    {
        try
        {
            await ContainedAsync(attempt, given, cancellationToken).WaitAsync(PatienceForOne, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // It goes on by itself and is shown as stale until it answers.
            if (_verdicts.TryGetValue(attempt.Id.Value, out RecoveredAttempt? verdict) && verdict is { Verdict: Readopted, Reason: null })
            {
                Note(attempt, Readopted, "It holds its lock and had not answered when the start went on without it.");
            }
        }
    }

    /// <summary>Whatever goes wrong with one stays with that one, also when nobody waits for it any more.</summary>
    private async Task ContainedAsync(Attempt attempt, AttemptVerdict? given, CancellationToken cancellationToken)
    {
        await Task.Yield(); // Judging reads files: many at once are better off on the pool.
        try
        {
            _pending.TryRemove(attempt.Id.Value, out _);
            AttemptVerdict verdict = given ?? AttemptVerdict.Of(folders.Of(attempt.Id), attempt.BootId);
            if (
                verdict is { Fate: AttemptFate.Lost, Supervisor.Process: var supervisor }
                && given is null
                && !await HasEndedAsync(supervisor, cancellationToken)
            )
            {
                throw new IOException(
                    string.Create(
                        System.Globalization.CultureInfo.InvariantCulture,
                        $"Its lock is free, and yet its supervisor, pid {supervisor.Pid}, lives: something else lies in the place of {new AttemptFiles(folders.Of(attempt.Id)).Lock}."
                    )
                );
            }

            Note(attempt, NameOf(verdict.Fate), verdict.Reason ?? verdict.Exit?.Reason);
            await (
                attempt.ExecutionId is null
                    ? AdoptKernelAsync(attempt, verdict, cancellationToken)
                    : AdoptJobAsync(attempt, verdict, cancellationToken)
            );
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            _pending[attempt.Id.Value] = attempt;
            Note(
                attempt,
                "quarantined",
                $"{e.Message} When that is mended: holdfast recovery retry {attempt.ExecutionId?.Value ?? attempt.KernelId}."
            );
            Log.Quarantined(logger, attempt.Id.Value, e);
        }
    }

    /// <summary>Whether the process is gone; one that was killed in this moment has let go of its lock a little before.</summary>
    private async Task<bool> HasEndedAsync(ProcessIdentity supervisor, CancellationToken cancellationToken)
    {
        for (int look = 0; supervisor.IsAlive(); look++)
        {
            if (look == LooksAtTheDying)
            {
                return false;
            }

            await Task.Delay(DyingPause, time, cancellationToken);
        }

        return true;
    }

    private async Task AdoptJobAsync(Attempt attempt, AttemptVerdict verdict, CancellationToken cancellationToken)
    {
        Execution? execution = store.Read(reader => ExecutionsTable.Find(reader, attempt.ExecutionId!.Value));
        var live = new LiveAttempt(attempt, folders.Of(attempt.Id))
        {
            IsStopRequested = execution?.IsCancelRequested ?? false,
            TakesSlot = execution is not { IsTerminal: true },
        };
        await dispatcher.AdoptAsync(live, verdict, cancellationToken);
        NoteLink(attempt, live);
    }

    private async Task AdoptKernelAsync(Attempt attempt, AttemptVerdict verdict, CancellationToken cancellationToken)
    {
        (Kernel? kernel, List<Run> ofKernel) = store.Read(reader =>
            (KernelsTable.Find(reader, new KernelId(attempt.KernelId!)), RunsTable.OpenOf(reader, attempt.Id))
        );
        if (kernel is null || (kernels.TryGet(kernel.Id, out LiveKernel? tracked) && tracked.Live.Id == attempt.Id))
        {
            return; // Nobody's; or in the house already, which goes on trying by itself.
        }

        KernelSpec? spec =
            verdict.Fate == AttemptFate.NeverStarted && (ofKernel.Count > 0 || kernel.Restarts > 0) && kernel.AttemptId == attempt.Id
                ? KernelSpecSearch.Search().Find(kernel.SpecName)
                : null;
        if (spec is not null)
        {
            (kernel, attempt, ofKernel) = await renewal.RunAsync(kernel, attempt, ofKernel, cancellationToken);
        }

        var cellsOf = ofKernel.ToDictionary(r => r.Id, CellsOf);
        List<ActiveRun> active = ofKernel.ConvertAll(r => runs.Track(r, cellsOf[r.Id]));
        (long position, List<Execution> sent) = store.Read(reader =>
            (AttemptsTable.ReadFrom(reader, attempt.Id), ExecutionsTable.RunningSent(reader, attempt.Id))
        );
        // A run's folds are made again from its beginning.
        position = ofKernel.Aggregate(position, (first, run) => Math.Min(first, run.StartPosition));
        IEnumerable<ExecutionId> handedOver = cellsOf
            .Values.SelectMany(c => c)
            .Where(c => !c.Execution.State.IsSettled())
            .Select(c => c.Execution.Id);
        if (spec is not null)
        {
            kernels.Launch(kernel, attempt, spec, handedOver, Begin);
            return;
        }

        NoteLink(attempt, (await kernels.AdoptAsync(kernel, attempt, verdict, position, handedOver, Begin, cancellationToken)).Live);

        // The server may have died between the end of a run and the stop of the kernel that it had started. One that a client has used
        // since is kept: it is that client's now.
        if (
            verdict.Fate == AttemptFate.Alive
            && store.Read(reader => RunsTable.HasLeftKernel(reader, attempt.Id) && !ExecutionsTable.HasSent(reader, attempt.Id))
        )
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

    private List<(Execution Execution, CellRequest Request)> CellsOf(Run run) =>
        store.Read(reader =>
            ExecutionsTable
                .OfRun(reader, run.Id)
                .ConvertAll(execution =>
                    (
                        execution,
                        JsonSerializer.Deserialize(ExecutionsTable.ReadRequest(reader, execution.Id), CellJson.Default.CellRequest)!
                    )
                )
        );

    private static string NameOf(AttemptFate fate) =>
        fate switch
        {
            AttemptFate.Alive => Readopted,
            AttemptFate.Ended => "ended",
            AttemptFate.NeverStarted => "requeued",
            _ => "lost",
        };

    /// <summary>What lives and could not be connected to says why.</summary>
    private void NoteLink(Attempt attempt, LiveAttempt live)
    {
        if (live.LinkProblem is { } problem && _verdicts[attempt.Id.Value].Verdict == Readopted)
        {
            Note(attempt, Readopted, problem);
        }
    }

    private void Note(Attempt attempt, string verdict, string? reason) =>
        _verdicts[attempt.Id.Value] = new RecoveredAttempt(attempt.Id.Value, attempt.ExecutionId?.Value, attempt.KernelId, verdict, reason);

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.AttemptQuarantined,
            LogLevel.Error,
            "Attempt {Attempt} could not be judged and is left as it is until it is tried again."
        )]
        public static partial void Quarantined(ILogger logger, string attempt, Exception exception);
    }
}
