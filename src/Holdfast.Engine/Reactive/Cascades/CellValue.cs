using Holdfast.Engine.Executions;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>
/// What a kernel holds of a cell: the values that one execution of one source made, from those that named executions of the cells upstream
/// had made.
/// </summary>
/// <param name="Inputs">The execution by each cell upstream.</param>
internal sealed record CellValue(
    CellId Cell,
    AttemptId Incarnation,
    ExecutionId Execution,
    string SourceHash,
    IReadOnlyDictionary<string, string> Inputs
);
