using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>What follows from a change of a cell of a cascade, in the transaction that stores the change: the cascade's own event, and which value of the cell the kernel now holds.</summary>
internal sealed class CascadeLedger(FeedLog feed)
{
    public void Take(StoreTransaction transaction, Execution execution)
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

        TakeValue(transaction, execution, run.Path);
        feed.Append(transaction, "cascade.cell", runId, writer =>
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
        });
    }

    /// <summary>A client, or a run, has run a cell in the notebook's kernel: what it made there is not what any plan knows of.</summary>
    private static void TakeOther(StoreTransaction transaction, Execution execution)
    {
        if (execution is { CellId: { } cell, KernelId: { } kernel, StartedAt: not null } && ReactiveKernelsTable.PathOf(transaction, new KernelId(kernel)) is { } path)
        {
            CellValuesTable.Forget(transaction, path, new CellId(cell));
        }
    }

    /// <summary>
    /// From its first instruction on a cell may have changed what it defines: until it has succeeded, the kernel holds no value of it that anybody could name; nor one of another cell that had
    /// made one of its names before.
    /// </summary>
    private static void TakeValue(StoreTransaction transaction, Execution execution, string path)
    {
        if (execution.CellId is not { } id || execution.AttemptId is null)
        {
            return;
        }

        if (execution.State == ExecutionState.Running)
        {
            CellRequest request = CellValues.Request(transaction, execution);
            CellValuesTable.Begin(transaction, path, new CellId(id), request.Names ?? [], request.Imports ?? []);
        }
        else if (execution.State is ExecutionState.Succeeded or ExecutionState.Failed)
        {
            CellRequest request = CellValues.Request(transaction, execution);
            if (execution.State == ExecutionState.Succeeded || request.AllowsError)
            {
                CellValuesTable.Put(transaction, path, CellValues.Of(execution, request));
            }
        }
    }
}
