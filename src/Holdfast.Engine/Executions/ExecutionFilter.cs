namespace Holdfast.Engine.Executions;

/// <summary>Which executions to list, newest first. Before is the cursor: the sequence of the last one already seen.</summary>
public sealed record ExecutionFilter
{
    public const int LimitDefault = 100;
    public const int LimitMax = 1000;

    public ExecutionState? State { get; init; }
    public ExecutionKind? Kind { get; init; }
    public string? Queue { get; init; }
    public string? LabelName { get; init; }
    public string? LabelValue { get; init; }
    public long? Before { get; init; }
    public int Limit { get; init; } = LimitDefault;
}
