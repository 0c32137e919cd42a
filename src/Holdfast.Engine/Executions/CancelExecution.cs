using Holdfast.Engine.Store;

namespace Holdfast.Engine.Executions;

/// <summary>
/// Cancels an execution. What waits is cancelled at once; what runs is asked to end (TERM, grace, KILL for jobs, an interrupt for cells)
/// and becomes cancelled when it has. The wish is stored first, so that it survives a crash between the two.
/// Errors: execution-not-found, illegal-transition.
/// </summary>
public sealed class CancelExecution(StateStore store, ExecutionLedger ledger, ExecutionRunners runners)
{
    public async Task<Execution> RunAsync(ExecutionId id, CancellationToken cancellationToken)
    {
        var published = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Execution execution = await store.WriteAsync(
            transaction =>
            {
                transaction.OnCommitted(published.SetResult);
                return ledger.Command(transaction, id, ExecutionCommand.Cancel, nameof(CancelExecution));
            },
            cancellationToken
        );
        if (!execution.State.IsTerminal())
        {
            // The claim before this in the store must have had its effect too: until then nobody knows the attempt, and the wish would
            // reach no one.
            await published.Task;
            await runners.For(execution.Kind).CancelAsync(execution, cancellationToken);
        }

        return execution;
    }
}
