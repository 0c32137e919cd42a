namespace Holdfast.Engine.Executions;

/// <summary>The part of an execution that transitions look at and change.</summary>
public readonly record struct ExecutionStatus(ExecutionKind Kind, ExecutionState State, int Attempt, bool IsCancelRequested);
