namespace Holdfast.Engine.Executions;

/// <summary>
/// What can be done to an execution that has an attempt, by its kind: jobs and cells answer differently. Called after the wish was stored;
/// each returns when the supervisor has taken it, and the outcome comes by the feed.
/// </summary>
public interface IExecutionRunner
{
    Task CancelAsync(Execution execution, CancellationToken cancellationToken);

    Task PauseAsync(Execution execution, CancellationToken cancellationToken);

    Task ResumeAsync(Execution execution, CancellationToken cancellationToken);

    Task WriteStandardInputAsync(Execution execution, ReadOnlyMemory<byte> bytes, bool end, CancellationToken cancellationToken);
}

/// <summary>The runner for each kind.</summary>
public sealed class ExecutionRunners(IExecutionRunner jobs, IExecutionRunner cells)
{
    public IExecutionRunner For(ExecutionKind kind) => kind == ExecutionKind.Job ? jobs : cells;
}
