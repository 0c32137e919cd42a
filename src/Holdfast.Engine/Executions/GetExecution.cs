using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Journal;

namespace Holdfast.Engine.Executions;

/// <summary>An execution with what is only known while it waits or runs.</summary>
public sealed record ExecutionView(Execution Execution)
{
    public int? QueuePosition { get; init; }
    public SupervisorHealth? SupervisorHealth { get; init; }
    public string? StallReason { get; init; }

    /// <summary>Of a job that runs; the execution itself has the final count.</summary>
    public long? OutputBytes { get; init; }
}

/// <summary>Reads executions. Errors: execution-not-found.</summary>
public sealed class GetExecution(StateStore store, LiveAttempts live)
{
    public ExecutionView Run(ExecutionId id)
    {
        (Execution execution, int? position) = store.Read(reader =>
        {
            Execution found = ExecutionsTable.Find(reader, id) ?? throw ExecutionId.NotFound(id.Value);
            return (found, found is { State: ExecutionState.Queued, Kind: ExecutionKind.Job } ? ExecutionsTable.QueuePosition(reader, found.Sequence) : (int?)null);
        });
        ExecutionView view = View(execution) with { QueuePosition = position };
        return execution is { Kind: ExecutionKind.Job, AttemptId: { } attempt } && execution.State.IsActive() && live.TryGet(attempt, out LiveAttempt? running) &&
               Directory.Exists(running.Files.Journal)
            ? view with { OutputBytes = JournalOutput.Measure(running.Files.Journal).All }
            : view;
    }

    public IReadOnlyList<ExecutionView> List(ExecutionFilter filter) => store.Read(reader => ExecutionsTable.Page(reader, filter)).ConvertAll(View);

    private ExecutionView View(Execution execution) =>
        execution.State.IsActive() && execution.AttemptId is { } attempt && live.TryGet(attempt, out LiveAttempt? found)
            ? new ExecutionView(execution) { SupervisorHealth = found.Health, StallReason = found.StallReason }
            : new ExecutionView(execution);
}
