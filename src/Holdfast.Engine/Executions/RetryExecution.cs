using Holdfast.Engine.Retention;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Executions;

/// <summary>
/// Puts a job that failed, was cancelled, ran out of time or was lost back into the queue, as a new attempt of the same execution. Earlier
/// attempts keep their folders. Errors: execution-not-found, illegal-transition, disk-full.
/// </summary>
public sealed class RetryExecution(StateStore store, ExecutionLedger ledger)
{
    internal SpaceGuard? Space { get; init; }

    public Task<Execution> RunAsync(ExecutionId id, CancellationToken cancellationToken) =>
        store.WriteAsync(
            transaction =>
            {
                if (ExecutionsTable.Find(transaction, id) is { IsTerminal: true } terminal)
                {
                    throw new RefusedException(
                        ErrorCodes.IllegalTransition,
                        $"'{terminal.Name}' is a terminal, which is not started again; start another one."
                    );
                }

                Execution retried = ledger.Command(transaction, id, ExecutionCommand.Retry, nameof(RetryExecution));
                Space?.ThrowIfFull(); // Behind what else speaks against it: to make room would not help one that cannot be retried.
                return retried;
            },
            cancellationToken
        );
}
