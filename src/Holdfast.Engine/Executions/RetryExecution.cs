using Holdfast.Engine.Store;

namespace Holdfast.Engine.Executions;

/// <summary>
/// Puts a job that failed, was cancelled, ran out of time or was lost back into the queue, as a new attempt of the same execution. Earlier attempts keep
/// their folders. Errors: execution-not-found, illegal-transition.
/// </summary>
public sealed class RetryExecution(StateStore store, ExecutionLedger ledger)
{
    public Task<Execution> RunAsync(ExecutionId id, CancellationToken cancellationToken) => store.WriteAsync(
        transaction => ExecutionsTable.Find(transaction, id) is { IsTerminal: true } terminal
            ? throw new RefusedException(ErrorCodes.IllegalTransition, $"'{terminal.Name}' is a terminal, which is not started again; start another one.")
            : ledger.Command(transaction, id, ExecutionCommand.Retry, nameof(RetryExecution)),
        cancellationToken);
}
