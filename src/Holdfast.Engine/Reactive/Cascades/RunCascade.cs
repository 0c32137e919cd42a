using System.Text.Json;
using Holdfast.Engine.Access;
using Holdfast.Engine.Assets;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Reactive.Registration;
using Holdfast.Engine.Retention;
using Holdfast.Engine.Store;
using Holdfast.Engine.Tracing;
using Holdfast.Protocol;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Link;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>
/// Runs a cell of a reactive notebook with the stale cells it needs and all that need it, or everything that is stale, each a durable
/// execution.
/// 1. what of the file is not registered is registered; 2. in one transaction: what an older cascade has not begun is superseded, the plan
/// is made of what the kernel holds at that moment and stored with its cells, and when it is new, the kernel; 3. the older cascade's rest
/// is taken out of the supervisor's queue, and the new cells are handed over, all at once and each with what it needs: so the cascade goes
/// on while no server is there, also past a cell that fails. The ids are returned after 2. A crash between 2 and 3 is found again from the
/// rows: what is superseded is taken back, what is queued is handed over.
/// Errors: notebook-*, cell-not-found, cell-blocked, notebook-busy, kernelspec-not-found, kernel-not-found, kernel-not-running, disk-full,
/// asset-quota-exceeded.
/// </summary>
public sealed class RunCascade(
    StateStore store,
    ExecutionLedger executions,
    KernelLedger kernelLedger,
    FeedLog feed,
    LiveKernels kernels,
    ActiveRuns active,
    CascadeSubjects subjects,
    KernelOptions options,
    string host,
    string root,
    TimeProvider time
)
{
    internal SpaceGuard? Space { get; init; }
    internal AssetQuota? Quota { get; init; }

    private readonly GhostRemoval _ghosts = new(store, kernels, time);
    private readonly CascadeKernels _kernels = new(store, kernels, kernelLedger, options, root, time);

    public async Task<StartedCascade> RunAsync(CascadeRequest request, CancellationToken cancellationToken)
    {
        string path = NotebookStorage.RealPathOf(request.Path, root);
        Actor.Does(nameof(RunCascade), path); // Also when there was nothing to run.
        Space?.ThrowIfFull();
        Quota?.ThrowIfFull();
        using IDisposable turn = await subjects.TakeTurnAsync(path, cancellationToken);
        using IDisposable reserved =
            active.TryReserve(path) ?? throw new RefusedException(ErrorCodes.NotebookBusy, $"A run of {path} is just being started.");
        if (active.IsActive(path, out Run? running) && !running.IsCascade)
        {
            throw new RefusedException(
                ErrorCodes.NotebookBusy,
                $"Run {running.Id} of {path} is still going on. Wait for it, or cancel its cells."
            );
        }

        NotebookFile notebook = NotebookFile.Load(path);
        CascadeSubject subject = await subjects.ReadAsync(notebook, forRun: true, cancellationToken);
        ThrowIfNotRunnable(subject, request.Cell, path);
        Begun? begun;
        CascadeKernel kernel;
        for (int waits = 0; ; waits++)
        {
            bool mayWait = waits < RevivalWaitsMax;
            Task changed = kernels.Changed;
            CascadeKernel chosen = kernel = await _kernels.ChooseAsync(request.Kernel, path, notebook, cancellationToken);
            begun = await store.WriteAsync(
                transaction =>
                    mayWait && CascadeKernels.IsRevived(transaction, chosen) ? null : Begin(transaction, path, request, subject, chosen),
                cancellationToken
            );
            if (begun is not null)
            {
                break;
            }

            // The kernel died, and is being started again at this very moment: it is the notebook's, and not to be replaced by another.
            await Task.WhenAny(changed, Task.Delay(WithdrawTimeout, time, cancellationToken));
        }

        // From here on the request's token is not honoured: what is committed is done.
        await _ghosts.RunAsync(path, CancellationToken.None); // Before any cell that may make such a name anew.
        return await HandOverAsync(begun, kernel);
    }

    private sealed record Begun(
        Run? Run,
        Kernel? NewKernel,
        Attempt? NewAttempt,
        List<(Execution Execution, CellRequest Request)> Rows,
        IReadOnlyList<ExcludedCell> Excluded,
        List<(string Run, ExecutionId Cell)> Superseded
    );

    private Begun Begin(StoreTransaction transaction, string path, CascadeRequest request, CascadeSubject subject, CascadeKernel chosen)
    {
        LiveKernel? reused = chosen.Reused;
        // A kernel that is to be started holds nothing; its incarnation comes with the plan, if there is one.
        AttemptId? incarnation = reused?.Live.Id;
        string id = Ulid.New(time);
        Ghosts.Note(transaction, path, subject.Registry);
        (List<CellValue> running, List<CellId> rest, List<(string Run, ExecutionId Cell)> superseded) = SupersedeOlder(
            transaction,
            path,
            id
        );
        List<CellId> edited = ClientRuns.Settle(transaction, path, subject, incarnation, feed);
        var plan = CascadePlan.For(
            subject,
            CellValuesTable.Of(transaction, path),
            running,
            rest,
            incarnation,
            request.Cell,
            () => new ExecutionId(Ulid.New(time)),
            request.IsAutorun ? edited : null
        );
        if (request.Cell is null)
        {
            ReactiveEditsTable.Clear(transaction, path);
        }

        if (plan.Cells.Count == 0)
        {
            if (request.IsResume)
            {
                throw new RefusedException(
                    ErrorCodes.NothingToResume,
                    $"No cell of {path} is stale that may run; there is nothing to resume."
                );
            }

            return new Begun(null, null, null, [], plan.Excluded, superseded);
        }

        foreach ((ExecutionId blocked, string cell) in BlockedCells(transaction, path))
        {
            if (plan.Cells.Any(c => c.Request.CellId == cell))
            {
                _ = executions.Withdraw(transaction, blocked, ExecutionLedger.Superseded, $"Cascade {id} has taken its place.");
            }
        }

        (Kernel? newKernel, Attempt? newAttempt) = reused is not null ? (null, null) : _kernels.Start(transaction, chosen, request.Path);
        KernelId kernel = newKernel?.Id ?? reused!.Id;
        AttemptId attempt = newAttempt?.Id ?? reused!.Live.Id;
        var run = new Run(
            id,
            path,
            RunState.Running,
            kernel,
            attempt,
            OwnsKernel: false,
            StopOnError: true,
            reused?.Position ?? 0,
            time.NowMicroseconds()
        )
        {
            CascadeCells = plan.Cells.Count,
        };
        RunsTable.Insert(transaction, run, host);
        if (!request.IsAutorun)
        {
            AuditTable.Record(transaction, run.CreatedAt, nameof(RunCascade), id, path);
        }

        NotebookFreshness.SetKernel(feed, transaction, path, kernel);
        Announce(transaction, run, plan, superseded);
        var rows = new List<(Execution, CellRequest)>(plan.Cells.Count);
        foreach ((ExecutionId execution, CellRequest cell) in plan.Cells)
        {
            rows.Add((AddCell(transaction, run, execution, rows.Count, cell), cell));
        }

        return new Begun(run, newKernel, newAttempt, rows, plan.Excluded, superseded);
    }

    /// <summary>What an older cascade has not begun is this one's to run, or not; what it is at goes on.</summary>
    private (List<CellValue> Running, List<CellId> Waiting, List<(string Run, ExecutionId Cell)> Superseded) SupersedeOlder(
        StoreTransaction transaction,
        string path,
        string by
    )
    {
        var running = new List<CellValue>();
        var rest = new List<CellId>();
        var superseded = new List<(string, ExecutionId)>();
        foreach (Run older in RunsTable.OpenCascades(transaction, path))
        {
            foreach (Execution cell in ExecutionsTable.OfRun(transaction, older.Id))
            {
                if (cell.State == ExecutionState.Running)
                {
                    running.Add(CellValues.Of(transaction, cell));
                }
                else if (cell.State == ExecutionState.Queued && cell.CellId is { } waiting)
                {
                    rest.Add(new CellId(waiting));
                    _ = executions.Withdraw(transaction, cell.Id, ExecutionLedger.Superseded, $"Cascade {by} has taken its place.");
                    superseded.Add((older.Id, cell.Id));
                }
            }
        }

        return (running, rest, superseded);
    }

    /// <summary>Of all cascades of the notebook, also those that are over.</summary>
    private static List<(ExecutionId Id, string Cell)> BlockedCells(StoreTransaction transaction, string path)
    {
        using Statement select = transaction
            .Prepare(
                "SELECT e.id, e.cell_id FROM executions e JOIN runs r ON r.id = e.run_id WHERE e.state = 'blocked' AND e.cell_id IS NOT NULL AND r.path = ?1"
            )
            .Bind(1, path);
        var blocked = new List<(ExecutionId, string)>();
        while (select.Step())
        {
            blocked.Add((new ExecutionId(select.Text(0)), select.Text(1)));
        }

        return blocked;
    }

    private async Task<StartedCascade> HandOverAsync(Begun begun, CascadeKernel kernel)
    {
        foreach (var older in begun.Superseded.GroupBy(static s => s.Run, static s => s.Cell))
        {
            // A supervisor that does not answer now must not keep the caller: what begins all the same is interrupted, as it is marked.
            await Task.WhenAny(active.WithdrawAsync(older.Key, [.. older]), Task.Delay(WithdrawTimeout, time, CancellationToken.None));
        }

        if (begun.Run is null)
        {
            return new StartedCascade(null, [], begun.Excluded);
        }

        CrashPoints.Reach(CrashPoint.ServerCascadePlanned);
        ActiveRun tracked = active.Track(begun.Run, begun.Rows);
        LiveKernel live;
        if (kernel.Reused is null)
        {
            live = kernels.Launch(
                begun.NewKernel!,
                begun.NewAttempt!,
                kernel.Spec!,
                begun.Rows.Select(static r => r.Execution.Id),
                started => started.Listen(tracked)
            );
        }
        else
        {
            live = kernel.Reused;
            live.Listen(tracked);
            if (!begun.Rows.TrueForAll(r => live.HandOver(r.Execution.Id)))
            {
                await CancelAsync(begun.Rows, live);
            }
        }

        active.Begin(tracked, live, begun.Rows);
        return new StartedCascade(
            begun.Run,
            begun.Rows.ConvertAll(static r => new RunCellView(r.Request.Index, r.Request.CellId, r.Execution)),
            begun.Excluded
        );
    }

    private static void ThrowIfNotRunnable(CascadeSubject subject, CellId? cell, string path)
    {
        if (cell is not { } id)
        {
            return;
        }

        if (!subject.Registry.Contains(id))
        {
            throw new RefusedException(
                ErrorCodes.CellNotFound,
                $"{path} has no code cell \"{id}\". Read the notebook again for its present ids."
            );
        }

        CellState state = subject.Registry.State(id);
        if (!state.IsRunnable)
        {
            string why = state.IsBlocked ? string.Join(' ', state.Reasons.Select(static r => r.Message)) : "It is disabled.";
            throw new RefusedException(ErrorCodes.CellBlocked, $"The cell {id} may not run. {why}");
        }

        if (RunPlan.For(subject.Registry, [], id).Excluded.FirstOrDefault(e => e.Cell == id) is { } excluded)
        {
            string what = excluded.Reason == ExclusionReason.UpstreamDisabled ? "disabled" : "blocked";
            throw new RefusedException(
                ErrorCodes.CellBlocked,
                $"The cell {id} may not run: it needs the cell {excluded.Because}, which is {what}."
            );
        }
    }

    /// <summary>One that has an incarnation and never becomes live, such as one set aside by a person, is replaced after all.</summary>
    private const int RevivalWaitsMax = 5;

    private static readonly TimeSpan WithdrawTimeout = TimeSpan.FromSeconds(2);

    private void Announce(StoreTransaction transaction, Run run, CascadePlan plan, List<(string Run, ExecutionId Cell)> superseded) =>
        feed.Append(
            transaction,
            "cascade.begun",
            run.Id,
            writer =>
            {
                writer.WriteString("id", run.Id);
                writer.WriteString("path", run.Path);
                writer.WriteString("kernelId", run.KernelId.Value);
                writer.WriteNumber("total", plan.Cells.Count);
                writer.WriteStartArray("cells");
                foreach ((ExecutionId execution, CellRequest cell) in plan.Cells)
                {
                    writer.WriteStartObject();
                    writer.WriteString("cellId", cell.CellId);
                    writer.WriteString("executionId", execution.Value);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
                writer.WriteStartArray("supersedes");
                superseded.Select(static s => s.Run).Distinct().ToList().ForEach(writer.WriteStringValue);
                writer.WriteEndArray();
            }
        );

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

    private Execution AddCell(StoreTransaction transaction, Run run, ExecutionId id, int place, CellRequest cell) =>
        executions.Add(
            transaction,
            new Execution
            {
                Sequence = 0,
                CreatedAt = 0,
                Id = id,
                Kind = ExecutionKind.Cell,
                State = ExecutionState.Queued,
                Queue = "default",
                RunId = run.Id,
                CellId = cell.CellId,
                CellIndex = cell.Index,
                Place = place,
                AttemptId = run.AttemptId,
                KernelId = run.KernelId.Value,
            },
            TraceMark.Mark(JsonSerializer.Serialize(cell, CellJson.Default.CellRequest))
        );
}
