namespace Holdfast.Engine.Executions;

/// <summary>
/// The part of an execution that transitions look at and change. Handed over: a cell that is in its kernel's queue, where only the journal
/// knows whether it was sent already.
/// </summary>
public readonly record struct ExecutionStatus(
    ExecutionKind Kind,
    ExecutionState State,
    int Attempt,
    bool IsCancelRequested,
    bool IsHandedOver
);
