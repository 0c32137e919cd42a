using System.Text.Json;
using Holdfast.Engine.Access;
using Holdfast.Engine.Assets;
using Holdfast.Engine.Callbacks;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Engine.Metrics;
using Holdfast.Engine.Notebooks.Parameters;
using Holdfast.Engine.Retention;
using Holdfast.Engine.Store;
using Holdfast.Engine.Tracing;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Notebooks;

/// <summary>
/// Runs cells of a notebook in order in one kernel, each a durable execution, and writes outputs into the file as they come.
/// 1. read and check the notebook, decide the cells; 2. inject parameters, if any, and save; 3. in one transaction store the run, its cells
/// and, when it is new, its kernel; 4. start the kernel and hand it all cells. The ids are returned after 3; the rest goes on whoever
/// listens.
/// Errors: notebook-*, cell-not-found, nothing-to-resume, notebook-busy, kernelspec-not-found, kernel-not-found, kernel-not-running,
/// parameters-unsupported, callback-url-invalid, callback-address-not-allowed, disk-full, asset-quota-exceeded.
/// </summary>
public sealed class RunNotebook(
    StateStore store,
    ExecutionLedger executions,
    KernelLedger kernelLedger,
    FeedLog feed,
    LiveKernels kernels,
    ActiveRuns active,
    KernelOptions options,
    CallbackCheck callbackCheck,
    CallbackLedger callbacks,
    EngineMeters meters,
    string host,
    string root,
    TimeProvider time
) : IDisposable
{
    private readonly SemaphoreSlim _keyed = new(1); // Requests with a key take turns, so that the second of two finds the run of the first.

    internal SpaceGuard? Space { get; init; }

    internal AssetQuota? Quota { get; init; }

    public async Task<StartedRun> RunAsync(RunRequest request, CancellationToken cancellationToken)
    {
        Space?.ThrowIfFull();
        Quota?.ThrowIfFull();
        if (request.Key is null)
        {
            return await RunAnewAsync(request, cancellationToken);
        }

        await _keyed.WaitAsync(cancellationToken);
        try
        {
            return FindEarlier(request.Key) ?? await RunAnewAsync(request, cancellationToken);
        }
        finally
        {
            _keyed.Release();
        }
    }

    public void Dispose() => _keyed.Dispose();

    /// <summary>The run that the same request made before, as it is now.</summary>
    private StartedRun? FindEarlier(IdempotencyKey key) =>
        store.Read(reader =>
            IdempotencyTable.Find(reader, key.Text) is not { } earlier ? null
            : !earlier.BodyHash.AsSpan().SequenceEqual(key.BodyHash) || RunsTable.Find(reader, earlier.Id.Value) is not { } run
                ? throw new RefusedException(
                    ErrorCodes.IdempotencyConflict,
                    $"The Idempotency-Key '{key.Text}' was used for another request ({earlier.Id}). Use a new key for new work."
                )
            : new StartedRun(run, ExecutionsTable.OfRun(reader, run.Id).ConvertAll(e => new RunCellView(e.CellIndex!.Value, e.CellId, e)))
            {
                IsRepeat = true,
            }
        );

    private async Task<StartedRun> RunAnewAsync(RunRequest request, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        CallbackOrder? callback = callbackCheck.Check(request.Callback, cwd: null);
        string path = System.IO.Path.GetFullPath(request.Path, root);
        using IDisposable reserved =
            active.TryReserve(path) ?? throw new RefusedException(ErrorCodes.NotebookBusy, $"Another run of {path} is just being started.");
        NotebookFile notebook = NotebookFile.Load(path);
        if (active.IsActive(path, out Run? running))
        {
            throw new RefusedException(
                ErrorCodes.NotebookBusy,
                $"Run {running.Id} of {path} is still going on. Wait for it, or cancel its cells."
            );
        }

        Run? earlier = store.Read(reader => RunsTable.LatestOf(reader, path));
        bool isResumed = request.Cells is CellSelection.Resume;
        if (isResumed)
        {
            ThrowIfNotResumable(path, earlier);
        }

        (KernelSpec? spec, LiveKernel? reused) = ChooseKernel(request.Kernel ?? (isResumed ? earlier!.KernelId.Value : null), notebook);
        var cells = Plan(notebook, request, spec?.Language ?? notebook.Language, isResumed ? SourceOf : null);
        bool ownsKernel = reused is null || (isResumed && earlier!.OwnsKernel);
        StartedRun started = await BeginAsync(path, request, cells, spec, reused, ownsKernel, callback, cancellationToken);
        meters.Acknowledged("notebook", time.GetElapsedTime(start));
        if (earlier is { OwnsKernel: true } && earlier.KernelId != started.Run.KernelId && kernels.TryGet(earlier.KernelId, out _))
        {
            // It was kept so that its run could be resumed, which nobody wants any more.
            _ = active.StopKernelAsync(earlier.KernelId);
        }

        return started;
    }

    private static List<CellRequest> Plan(NotebookFile notebook, RunRequest request, string? language, Func<string, string?>? sourceOf)
    {
        NotebookCell? injected =
            request.Parameters.Count > 0 ? NotebookParameters.Inject(notebook, notebook.Language ?? language, request.Parameters) : null;
        NotebookRunPlan plan = NotebookRunPlan.For(notebook, request.Cells, sourceOf);
        if (notebook.IsChanged)
        {
            notebook.Save();
        }

        var cells = plan
            .Cells.Select(c => new CellRequest(notebook.Cells[c.Index].Source, notebook.Cells[c.Index].Id, c.Index, c.AllowsError))
            .ToList();
        if (injected is not null && !cells.Exists(c => c.Index == injected.Index))
        {
            // Parameters given with a choice of cells apply to that choice.
            cells.Insert(0, new CellRequest(injected.Source, injected.Id, injected.Index, false));
        }

        return cells;
    }

    /// <summary>
    /// What one of our executions ran; null for those of another server, and for a client's that was too long to be stored.
    /// </summary>
    private string? SourceOf(string executionId) =>
        store.Read(reader =>
            ExecutionsTable.Find(reader, new ExecutionId(executionId)) is { } execution
                ? CellCode.Read(ExecutionsTable.ReadRequest(reader, execution.Id))
                : null
        );

    /// <summary>Resuming makes sense only where the variables are: in the kernel of the run that failed.</summary>
    private void ThrowIfNotResumable(string path, Run? run)
    {
        if (run is null)
        {
            throw new RefusedException(ErrorCodes.NothingToResume, $"{path} has never been run here; there is nothing to resume.");
        }

        if (!kernels.TryGet(run.KernelId, out _))
        {
            throw new RefusedException(
                ErrorCodes.NothingToResume,
                $"The kernel of run {run.Id} is gone, and its variables with it. Run the notebook from the start, or from a cell of your choice with --from."
            );
        }
    }

    private (KernelSpec? Spec, LiveKernel? Reused) ChooseKernel(string? wanted, NotebookFile notebook)
    {
        if (wanted is not null && Guid.TryParseExact(wanted, "D", out _))
        {
            return (null, kernels.Get(new KernelId(wanted)));
        }

        return (KernelSpecs.Require(wanted ?? notebook.KernelName ?? StartKernel.DefaultSpec), null);
    }

    private async Task<StartedRun> BeginAsync(
        string path,
        RunRequest request,
        List<CellRequest> cells,
        KernelSpec? spec,
        LiveKernel? reused,
        bool ownsKernel,
        CallbackOrder? callback,
        CancellationToken cancellationToken
    )
    {
        string runId = Ulid.New(time);
        List<string> requests = cells.ConvertAll(static cell =>
            TraceMark.Mark(JsonSerializer.Serialize(cell, CellJson.Default.CellRequest))
        );
        (Run run, Kernel? kernel, Attempt? attempt, List<(Execution Execution, CellRequest Request)> rows) = await store.WriteAsync(
            transaction =>
            {
                Kernel? newKernel = null;
                Attempt? newAttempt = null;
                if (reused is null)
                {
                    (newKernel, newAttempt) = kernelLedger.Add(transaction, KernelId.New(), KernelOf(spec!, path));
                }

                AttemptId incarnation = newAttempt?.Id ?? reused!.Live.Id;
                var stored = new Run(
                    runId,
                    path,
                    RunState.Running,
                    newKernel?.Id ?? reused!.Id,
                    incarnation,
                    ownsKernel,
                    request.StopOnError,
                    reused?.Position ?? 0,
                    time.NowMicroseconds()
                );
                RunsTable.Insert(transaction, stored, host);
                if (callback is not null)
                {
                    callbacks.Ask(transaction, CallbackSubject.Run, runId, callback);
                }

                if (request.Key is { } key)
                {
                    IdempotencyTable.Insert(transaction, key.Text, key.BodyHash, new ExecutionId(runId), stored.CreatedAt);
                }

                AuditTable.Record(transaction, stored.CreatedAt, nameof(RunNotebook), runId, path);
                feed.Append(
                    transaction,
                    "run.running",
                    runId,
                    writer =>
                    {
                        writer.WriteString("id", runId);
                        writer.WriteString("path", path);
                        writer.WriteString("kernelId", stored.KernelId.Value);
                        writer.WriteNumber("cells", cells.Count);
                    }
                );
                return (
                    stored,
                    newKernel,
                    newAttempt,
                    cells.Select((cell, i) => (AddCell(transaction, runId, stored.KernelId, incarnation, cell, requests[i]), cell)).ToList()
                );
            },
            cancellationToken
        );

        // From here on the request's token is not honoured: what is committed is done.
        ActiveRun tracked = active.Track(run, rows);
        LiveKernel live;
        if (reused is null)
        {
            live = kernels.Launch(kernel!, attempt!, spec!, rows.Select(r => r.Execution.Id), started => started.Listen(tracked));
        }
        else
        {
            live = reused;
            live.Listen(tracked);
            if (!rows.TrueForAll(r => live.HandOver(r.Execution.Id)))
            {
                await CancelAsync(rows, live);
            }
        }

        active.Begin(tracked, live, rows);
        return new StartedRun(run, rows.ConvertAll(r => new RunCellView(r.Request.Index, r.Request.CellId, r.Execution)));
    }

    /// <summary>A run's own kernel. It is not started again when it dies: the variables the next cell needs would not be there.</summary>
    private KernelPlan KernelOf(KernelSpec spec, string path) => KernelPlan.For(spec, System.IO.Path.GetDirectoryName(path)!, options);

    /// <summary>The kernel ended between the choice and the hand-over: it will account for nothing any more, so this does.</summary>
    private Task CancelAsync(List<(Execution Execution, CellRequest Request)> rows, LiveKernel ended) =>
        store.WriteAsync(
            transaction =>
            {
                var outcome = new Outcome(
                    ExecutionState.Cancelled,
                    null,
                    null,
                    "skipped",
                    "It was not started: the kernel had ended.",
                    time.NowMicroseconds()
                );
                rows.ForEach(r => executions.FinishCell(transaction, r.Execution.Id, ended.Live.Id, outcome, 0));
            },
            CancellationToken.None
        );

    private Execution AddCell(
        StoreTransaction transaction,
        string runId,
        KernelId kernel,
        AttemptId incarnation,
        CellRequest cell,
        string request
    ) =>
        executions.Add(
            transaction,
            new Execution
            {
                Sequence = 0,
                CreatedAt = 0,
                Id = new ExecutionId(Ulid.New(time)),
                Kind = ExecutionKind.Cell,
                State = ExecutionState.Queued,
                Queue = "default",
                RunId = runId,
                CellId = cell.CellId,
                CellIndex = cell.Index,
                AttemptId = incarnation,
                KernelId = kernel.Value,
            },
            request
        );
}
