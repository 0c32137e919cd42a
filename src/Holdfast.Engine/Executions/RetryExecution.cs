using Holdfast.Engine.Store;

namespace Holdfast.Engine.Executions;

/// <summary>
/// Puts a job that failed, was cancelled, ran out of time or was lost back into the queue, as a new attempt of the same execution. Earlier attempts keep
/// their folders. Errors: execution-not-found, illegal-transition.
/// </summary>
public sealed class RetryExecution(StateStore store, ExecutionLedger ledger)
{
    public Task<Execution> RunAsync(ExecutionId id, CancellationToken cancellationToken) =>
        store.WriteAsync(transaction => ledger.Command(transaction, id, ExecutionCommand.Retry), cancellationToken);
}
