namespace Holdfast.Engine.Executions;

/// <summary>What an execution runs: a notebook cell in a kernel, or a command.</summary>
public enum ExecutionKind
{
    Cell,
    Job,
}
