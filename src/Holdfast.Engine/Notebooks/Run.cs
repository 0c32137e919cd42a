using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;

namespace Holdfast.Engine.Notebooks;

/// <summary>How far a notebook run has come.</summary>
public enum RunState
{
    Running,
    Succeeded,
    Failed,
    Cancelled,
    Lost,
}

/// <summary>
/// One run of a notebook: cells in order in one kernel. Each cell is an execution of its own; the run's state follows from theirs.
/// </summary>
public sealed record Run(
    string Id,
    string Path,
    RunState State,
    KernelId KernelId,
    AttemptId AttemptId,
    bool OwnsKernel,
    bool StopOnError,
    long StartPosition,
    long CreatedAt
)
{
    /// <summary>Of a cascade: how many cells its plan has. Null for a run in the order of the notebook.</summary>
    public int? CascadeCells { get; init; }

    public bool IsCascade => CascadeCells is not null;

    public long? FinishedAt { get; init; }
    public string? Reason { get; init; }
}
