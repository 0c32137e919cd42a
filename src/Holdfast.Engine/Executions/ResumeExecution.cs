using Holdfast.Engine.Store;

namespace Holdfast.Engine.Executions;

/// <summary>Lets a paused job go on. Errors: execution-not-found, illegal-transition, supervisor-unreachable.</summary>
public sealed class ResumeExecution(StateStore store, ExecutionLedger ledger, ExecutionRunners runners)
{
    public async Task<Execution> RunAsync(ExecutionId id, CancellationToken cancellationToken)
    {
        Execution execution = await store.WriteAsync(
            transaction => ledger.Command(transaction, id, ExecutionCommand.Resume, nameof(ResumeExecution)),
            cancellationToken
        );
        await runners.For(execution.Kind).ResumeAsync(execution, cancellationToken);
        return await store.WriteAsync(
            transaction =>
                ledger.Advance(transaction, id, execution.AttemptId!.Value, ExecutionCommand.ConfirmResumed)
                ?? ExecutionsTable.Find(transaction, id)!,
            cancellationToken
        );
    }
}
