namespace Holdfast.Engine.Callbacks;

/// <summary>Names one callback for ever; on the wire it is the webhook-id, the same at every attempt.</summary>
public readonly record struct CallbackId(string Value)
{
    /// <summary>The id in <paramref name="text"/>; refused as unknown when it cannot be one.</summary>
    public static CallbackId Parse(string text) => Ulid.IsWellFormed(text) ? new CallbackId(text) : throw NotFound(text);

    public static RefusedException NotFound(string text) =>
        new(ErrorCodes.CallbackNotFound, $"There is no callback '{text}'. 'holdfast callbacks' lists those there are.");

    public override string ToString() => Value;
}

/// <summary>What somebody waits to be told the end of.</summary>
public enum CallbackSubject
{
    Execution,
    Run,
}

/// <summary>
/// One outcome to be told to one receiver, as the store has it. A retry of an execution is another outcome, and another callback. Times are
/// microseconds since 1970.
/// </summary>
public sealed record Callback
{
    public required long Sequence { get; init; }
    public required CallbackId Id { get; init; }
    public required CallbackSubject Kind { get; init; }
    public required string SubjectId { get; init; }
    public required CallbackOrder Order { get; init; }
    public required CallbackStatus Status { get; init; }

    /// <summary>How many attempts have been begun.</summary>
    public required int Attempts { get; init; }

    /// <summary>What happened, such as <c>execution.failed</c>; null while it waits.</summary>
    public string? Type { get; init; }

    /// <summary>The bytes that are sent and signed, the same at every attempt; null while it waits.</summary>
    public byte[]? Body { get; init; }

    /// <summary>What the last attempt came to, when it was not delivered.</summary>
    public string? Reason { get; init; }

    public required long CreatedAt { get; init; }
    public long? SettledAt { get; init; }

    /// <summary>How often somebody had it sent again by hand, when last, and the name of who did.</summary>
    public int Redrives { get; init; }
    public long? RedrivenAt { get; init; }
    public string? RedrivenBy { get; init; }
}

/// <summary>One attempt. Stored before anything is sent; what it came to is filled in after.</summary>
public sealed record CallbackAttempt(int Number, long StartedAt, long? FinishedAt, int? Status, string? Error, byte[]? Answer);

/// <summary>What an attempt came to: the verdict, and what there is to tell of it.</summary>
public sealed record CallbackAnswer(CallbackVerdict Verdict)
{
    /// <summary>The status of an HTTP answer, or a command's exit code.</summary>
    public int? Status { get; init; }

    /// <summary>Why it was not delivered, in a sentence.</summary>
    public string? Error { get; init; }

    public TimeSpan RetryAfter { get; init; }

    /// <summary>The first bytes of the answer's body, or of a command's output.</summary>
    public byte[]? Head { get; init; }
}
