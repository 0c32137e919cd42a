using Holdfast.Engine.Store;

namespace Holdfast.Engine.Executions;

/// <summary>
/// Stops a running job's whole process group where it stands. Errors: execution-not-found, illegal-transition, supervisor-unreachable.
/// </summary>
public sealed class PauseExecution(StateStore store, ExecutionLedger ledger, ExecutionRunners runners)
{
    public async Task<Execution> RunAsync(ExecutionId id, CancellationToken cancellationToken)
    {
        Execution execution = await store.WriteAsync(
            transaction => ledger.Command(transaction, id, ExecutionCommand.Pause, nameof(PauseExecution)),
            cancellationToken
        );
        await runners.For(execution.Kind).PauseAsync(execution, cancellationToken);
        return await store.WriteAsync(
            transaction =>
                ledger.Advance(transaction, id, execution.AttemptId!.Value, ExecutionCommand.ConfirmPaused)
                ?? ExecutionsTable.Find(transaction, id)!,
            cancellationToken
        );
    }
}
