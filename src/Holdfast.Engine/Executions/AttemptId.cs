namespace Holdfast.Engine.Executions;

/// <summary>Names one attempt, and its folder under attempts/.</summary>
public readonly record struct AttemptId(string Value)
{
    public override string ToString() => Value;
}
