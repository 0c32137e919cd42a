namespace Holdfast.Engine.Recovery;

/// <summary>One phase of start-up: what it looked at, and how long that took.</summary>
public sealed record RecoveryPhase(string Name, double Milliseconds, int Found, string? Problem);

/// <summary>What became of one attempt that was open when the server started.</summary>
public sealed record RecoveredAttempt(string Attempt, string? ExecutionId, string? KernelId, string Verdict, string? Reason);

/// <summary>What this start-up found and did. Times are microseconds since 1970; milliseconds are measured, not the difference of clocks.</summary>
public sealed record RecoveryReport
{
    public required bool IsComplete { get; init; }
    public required long StartedAt { get; init; }
    public required double Milliseconds { get; init; }
    public required IReadOnlyList<RecoveryPhase> Phases { get; init; }
    public required IReadOnlyList<RecoveredAttempt> Attempts { get; init; }
    public required long Queued { get; init; }

    public int CountOf(string verdict) => Attempts.Count(a => a.Verdict == verdict);
}
