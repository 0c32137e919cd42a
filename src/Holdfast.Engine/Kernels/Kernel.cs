using Holdfast.Engine.Executions;

namespace Holdfast.Engine.Kernels;

/// <summary>What is stored of a kernel's state. Idle and busy are not: they are told by the kernel itself, message by message.</summary>
public enum KernelState
{
    Starting,
    Running,

    /// <summary>Ended because somebody asked.</summary>
    Stopped,

    /// <summary>Ended by itself or by another's hand; the reason says how.</summary>
    Dead,
}

/// <summary>One kernel as the store has it. Times are microseconds since 1970; the attempt is its current incarnation, null once it ended.</summary>
public sealed record Kernel(KernelId Id, string SpecName, KernelState State, AttemptId? AttemptId, string WorkingDirectory, long CreatedAt)
{
    public long LastActivityAt { get; init; }
    public string? Reason { get; init; }
    public int Restarts { get; init; }
}
