using Holdfast.Engine.Executions;

namespace Holdfast.Engine.Terminals;

/// <summary>
/// A live terminal: an execution whose name it goes by. Times are microseconds since 1970; the last activity is the last output.
/// </summary>
public sealed record Terminal(string Name, ExecutionId ExecutionId, long CreatedAt, long LastActivity);
