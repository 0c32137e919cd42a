using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Reactive.Registration;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>
/// What follows for reactive notebooks from a change of a cell, or from the end of a kernel, in the transaction that stores the change: the
/// cascade's own event, which value of the cell the kernel now holds, and what of it is gone.
/// </summary>
internal sealed class CascadeLedger(FeedLog feed)
{
    /// <summary>A cell of this notebook was run in its kernel, and not by a cascade. Raised after the commit that says so.</summary>
    public event Action<string>? RunPastCascades;

    /// <param name="begins">With this change it has begun, and may be over.</param>
    public void Take(StoreTransaction transaction, Execution execution, bool begins)
    {
        if (execution.State == ExecutionState.Queued)
        {
            return;
        }

        if (execution is not { Place: { } place, RunId: { } runId } || RunsTable.Find(transaction, runId) is not { } run)
        {
            TakeOther(transaction, execution);
            return;
        }

        TakeValue(transaction, execution, run.Path, begins);
        feed.Append(
            transaction,
            "cascade.cell",
            runId,
            writer =>
            {
                writer.WriteString("id", runId);
                writer.WriteString("path", run.Path);
                writer.WriteString("cellId", execution.CellId);
                writer.WriteString("executionId", execution.Id.Value);
                writer.WriteString("state", execution.State.Name());
                writer.WriteNumber("index", place);
                writer.WriteNumber("total", run.CascadeCells ?? 0);
                writer.WriteBoolean("isLast", place + 1 == run.CascadeCells);
                if (execution.Reason is { } reason)
                {
                    writer.WriteString("reason", reason);
                }

                if (execution.BlockedBy is { } upstream)
                {
                    writer.WriteString("upstream", ExecutionsTable.Find(transaction, upstream)?.CellId);
                }
            }
        );
    }

    /// <summary>
    /// A kernel's incarnation is over: what it held of its notebook is gone, and everything stale. Whoever had fresh cells is told.
    /// </summary>
    /// <param name="isDeath">It ended by itself, not on request.</param>
    public void TakeEnd(StoreTransaction transaction, Kernel kernel, bool isDeath)
    {
        string cause =
            isDeath ? "kernelDied"
            : kernel.State == KernelState.Restarting ? "kernelRestarted"
            : "kernelStopped";
        foreach (string path in ReactiveKernelsTable.PathsOf(transaction, kernel.Id))
        {
            List<CellId> lost = CellValuesTable.ForgetAll(transaction, path);
            if (lost.Count > 0)
            {
                NotebookFreshness.Announce(feed, transaction, path, cause, kernel.Id.Value, new CellFreshness(lost, []));
            }
        }
    }

    /// <summary>
    /// A client, or a run, has run a cell in the notebook's kernel: what it made there is not what any plan knows of. That it happened is
    /// stored, and looked at when the notebook is next read: here nobody knows its graph.
    /// </summary>
    private void TakeOther(StoreTransaction transaction, Execution execution)
    {
        if (execution is not { KernelId: { } kernel, StartedAt: not null })
        {
            return;
        }

        foreach (string path in ReactiveKernelsTable.PathsOf(transaction, new KernelId(kernel)))
        {
            if (execution.CellId is { } cell)
            {
                CellValuesTable.ForgetValue(transaction, path, new CellId(cell));
            }

            if (execution.State.IsTerminal())
            {
                ReactiveEditsTable.PutRun(transaction, path, execution);
                transaction.OnCommitted(() => RunPastCascades?.Invoke(path));
            }
        }
    }

    /// <summary>
    /// From its first instruction on a cell may have changed what it defines: until it has succeeded, the kernel holds no value of it that
    /// anybody could name; nor one of another cell that had made one of its names before.
    /// </summary>
    private static void TakeValue(StoreTransaction transaction, Execution execution, string path, bool begins)
    {
        bool hasEnded = execution.State is ExecutionState.Succeeded or ExecutionState.Failed;
        if (execution.CellId is not { } id || execution.AttemptId is null || (!begins && !hasEnded))
        {
            return;
        }

        CellRequest request = CellValues.Request(transaction, execution);
        if (begins)
        {
            CellValuesTable.Begin(
                transaction,
                path,
                new CellId(id),
                request.Names ?? [],
                [.. request.Imports ?? [], .. request.Privates ?? []]
            );
            ReactiveEditsTable.ForgetRun(transaction, path, new CellId(id));
        }

        if (execution.State == ExecutionState.Succeeded || (hasEnded && request.AllowsError))
        {
            CellValuesTable.Put(transaction, path, CellValues.Of(execution, request));
        }
    }
}
