namespace Holdfast.Engine.Executions;

/// <summary>How an attempt ended: a terminal state, and what is known of why.</summary>
public sealed record Outcome(ExecutionState State, int? ExitCode, int? Signal, string? Cause, string? Reason, long AtMicroseconds)
{
    /// <summary>Null when it was not counted.</summary>
    public long? OutputBytes { get; init; }
}
