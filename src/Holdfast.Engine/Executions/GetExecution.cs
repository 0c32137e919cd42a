using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;

namespace Holdfast.Engine.Executions;

/// <summary>An execution with what is only known while it waits or runs.</summary>
public sealed record ExecutionView(Execution Execution, int? QueuePosition, SupervisorHealth? SupervisorHealth, string? StallReason);

/// <summary>Reads executions. Errors: execution-not-found.</summary>
public sealed class GetExecution(StateStore store, LiveAttempts live)
{
    public ExecutionView Run(ExecutionId id) => store.Read(reader =>
    {
        Execution execution = ExecutionsTable.Find(reader, id) ?? throw ExecutionId.NotFound(id.Value);
        int? position = execution is { State: ExecutionState.Queued, Kind: ExecutionKind.Job } ? ExecutionsTable.QueuePosition(reader, execution.Sequence) : null;
        return View(execution, position);
    });

    public IReadOnlyList<ExecutionView> List(ExecutionFilter filter) =>
        store.Read(reader => ExecutionsTable.Page(reader, filter)).ConvertAll(execution => View(execution, null));

    private ExecutionView View(Execution execution, int? queuePosition) =>
        execution.State.IsActive() && execution.AttemptId is { } attempt && live.TryGet(attempt, out LiveAttempt? found)
            ? new ExecutionView(execution, queuePosition, found.Health, found.StallReason)
            : new ExecutionView(execution, queuePosition, null, null);
}
