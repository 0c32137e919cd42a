namespace Holdfast.Engine.Executions;

/// <summary>One execution as the store has it. Times are microseconds since 1970.</summary>
public sealed record Execution
{
    /// <summary>The queue of terminals: who asked for one sits before it, so none ever waits in it or takes a job's slot.</summary>
    public const string TerminalsQueue = "terminals";

    public required long Sequence { get; init; }
    public required ExecutionId Id { get; init; }
    public required ExecutionKind Kind { get; init; }
    public required ExecutionState State { get; init; }
    public required long CreatedAt { get; init; }
    public string? Name { get; init; }
    public required string Queue { get; init; }
    public IReadOnlyDictionary<string, string> Labels { get; init; } = EmptyLabels;

    /// <summary>How many attempts have been made; the number of the current one.</summary>
    public int Attempt { get; init; }

    public AttemptId? AttemptId { get; init; }
    public bool IsCancelRequested { get; init; }
    public long? StartedAt { get; init; }
    public long? FinishedAt { get; init; }
    public int? ExitCode { get; init; }
    public int? Signal { get; init; }
    public string? Cause { get; init; }
    public string? Reason { get; init; }
    public long? OutputBytes { get; init; }

    /// <summary>Cells: the notebook run and the place in it.</summary>
    public string? RunId { get; init; }
    public string? CellId { get; init; }
    public int? CellIndex { get; init; }

    /// <summary>Cells of a cascade: the place in its plan, counted from 0.</summary>
    public int? Place { get; init; }

    /// <summary>Cells that are blocked: the execution, of the cell upstream, which did not end well.</summary>
    public ExecutionId? BlockedBy { get; init; }

    /// <summary>Cells: the kernel; and, when a client sent it by itself, its request's msg_id and who that was.</summary>
    public string? KernelId { get; init; }
    public string? MessageId { get; init; }
    public string? ClientSession { get; init; }
    public string? ClientUsername { get; init; }

    /// <summary>
    /// Cells: where the messages are: the kernel incarnation's journal, from its request to past its idle (0 while it runs).
    /// </summary>
    public long StartPosition { get; init; }
    public long EndPosition { get; init; }

    /// <summary>A terminal that people type into; <see cref="Name"/> is then its name, which no other live one has.</summary>
    public bool IsTerminal => Queue == TerminalsQueue;

    public ExecutionStatus Status => new(Kind, State, Attempt, IsCancelRequested, Kind == ExecutionKind.Cell && AttemptId is not null);

    private static readonly Dictionary<string, string> EmptyLabels = [];
}
