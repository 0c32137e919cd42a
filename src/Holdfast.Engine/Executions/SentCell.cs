namespace Holdfast.Engine.Executions;

/// <summary>
/// A cell that a client sent to a kernel, as the kernel's journal tells it so far: what its row is made of, and made again from after a
/// crash. The id is its own from the first reading on; a row that an earlier reading stored keeps the id it has. Times are microseconds
/// since 1970.
/// </summary>
public sealed record SentCell
{
    public required ExecutionId Id { get; init; }
    public required AttemptId AttemptId { get; init; }
    public required string KernelId { get; init; }

    /// <summary>The msg_id of its execute_request.</summary>
    public required string MessageId { get; init; }

    /// <summary>JSON: the code.</summary>
    public required string Request { get; init; }

    public string? CellId { get; init; }
    public string? ClientSession { get; init; }
    public string? ClientUsername { get; init; }
    public required long CreatedAt { get; init; }
    public required long StartPosition { get; init; }

    /// <summary>When the kernel took it up; null while it waits in the kernel.</summary>
    public long? StartedAt { get; init; }

    public Outcome? Outcome { get; init; }
    public long EndPosition { get; init; }
}
