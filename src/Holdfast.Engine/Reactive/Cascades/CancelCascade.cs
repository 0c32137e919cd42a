using Holdfast.Engine.Executions;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>
/// Stops a cascade: what has not begun is cancelled, and the cell that runs is interrupted. The wish is stored first, so that it survives a
/// crash between the two. One that is over is left as it is.
/// Errors: run-not-found, supervisor-unreachable.
/// </summary>
public sealed class CancelCascade(StateStore store, ExecutionLedger executions, ExecutionRunners runners, ActiveRuns active, GetRun getRun)
{
    public async Task<RunView> RunAsync(string id, CancellationToken cancellationToken)
    {
        Actor.Does(nameof(CancelCascade), id);
        _ = getRun.Run(id);
        (List<Execution> running, List<ExecutionId> waiting) = await store.WriteAsync(
            transaction => Cancel(transaction, id),
            cancellationToken
        );
        await active.WithdrawAsync(id, waiting);

        foreach (Execution cell in running)
        {
            await runners.For(cell.Kind).CancelAsync(cell, CancellationToken.None);
        }

        return getRun.Run(id);
    }

    private (List<Execution> Running, List<ExecutionId> Waiting) Cancel(StoreTransaction transaction, string id)
    {
        var running = new List<Execution>();
        var waiting = new List<ExecutionId>();
        foreach (Execution cell in ExecutionsTable.OfRun(transaction, id))
        {
            if (cell.State == ExecutionState.Running)
            {
                running.Add(executions.Command(transaction, cell.Id, ExecutionCommand.Cancel));
            }
            else if (!cell.State.IsTerminal())
            {
                _ = executions.Withdraw(transaction, cell.Id, "cancelled", "Its cascade was cancelled.");
                waiting.Add(cell.Id);
            }
        }

        return (running, waiting);
    }
}
