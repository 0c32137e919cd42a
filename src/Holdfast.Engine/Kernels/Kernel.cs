using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels.Life;

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

    /// <summary>Died, and is about to be started again: it has no process now.</summary>
    Restarting,
}

/// <summary>
/// One kernel as the store has it. Times are microseconds since 1970; the attempt is its current incarnation, null once it ended.
/// </summary>
public sealed record Kernel(KernelId Id, string SpecName, KernelState State, AttemptId? AttemptId, string WorkingDirectory, long CreatedAt)
{
    public long LastActivityAt { get; init; }
    public string? Reason { get; init; }
    public int Restarts { get; init; }

    /// <summary>What it was started with beyond its kernelspec; every restart has the same.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = KernelPlan.Nothing;
    public long? MemoryBytesMax { get; init; }

    /// <summary>For the same, in thousandths of a processor; null for no limit.</summary>
    public long? CpuMillisMax { get; init; }

    /// <summary>Started again when it dies by itself.</summary>
    public bool IsAutoRestarted { get; init; }

    /// <summary>Its present incarnation was started because the one before had died.</summary>
    public bool IsRevived { get; init; }

    /// <summary>While it is restarting: when.</summary>
    public long? RestartDueAt { get; init; }

    /// <summary>The latest death, if there was one; it may have been restarted since.</summary>
    public KernelDeath? LastDeath { get; init; }

    /// <summary>Started in advance and not yet anybody's; not shown.</summary>
    public bool IsWarm { get; init; }
}
