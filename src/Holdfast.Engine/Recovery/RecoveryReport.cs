using System.Text.Json.Serialization;

namespace Holdfast.Engine.Recovery;

/// <summary>One phase of start-up: what it looked at, how long that took, and what could not be put right.</summary>
public sealed record RecoveryPhase(string Name, double Milliseconds, int Found, string? Problem)
{
    /// <summary>True when the phase itself failed or was left out; false also when only single items of it are damaged.</summary>
    public bool HasFailed { get; init; }
}

/// <summary>What became of one attempt that was open when the server started.</summary>
public sealed record RecoveredAttempt(string Attempt, string? ExecutionId, string? KernelId, string Verdict, string? Reason);

/// <summary>
/// A start-up before this one that did not come to its end: when it began, and the last phase of which it is known that it was over.
/// </summary>
public sealed record InterruptedStart(long StartedAt, string? LastPhase);

/// <summary>
/// What one start-up found and did. Times are microseconds since 1970; milliseconds are measured, not the difference of clocks.
/// </summary>
public sealed record RecoveryReport
{
    /// <summary>What an attempt may be found to be.</summary>
    public static IReadOnlyList<string> Verdicts { get; } = ["readopted", "ended", "requeued", "lost", "quarantined"];

    public required bool IsComplete { get; init; }
    public required long StartedAt { get; init; }
    public required double Milliseconds { get; init; }
    public required IReadOnlyList<RecoveryPhase> Phases { get; init; }
    public required IReadOnlyList<RecoveredAttempt> Attempts { get; init; }
    public required long Queued { get; init; }

    /// <summary>The version that started.</summary>
    public string? Version { get; init; }

    /// <summary>The start-ups just before this one that were interrupted, latest first: what they left undone, this one has done.</summary>
    public IReadOnlyList<InterruptedStart> Interrupted { get; init; } = [];

    /// <summary>How many there were of each verdict, where not every attempt is listed.</summary>
    public IReadOnlyDictionary<string, int>? Counts { get; init; }

    [JsonIgnore]
    public int Found => Counts?.Values.Sum() ?? Attempts.Count;

    public int CountOf(string verdict) => Counts?.GetValueOrDefault(verdict) ?? Attempts.Count(a => a.Verdict == verdict);
}

/// <summary>Reports as they are kept in the store.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RecoveryReport))]
internal sealed partial class RecoveryJson : JsonSerializerContext;
