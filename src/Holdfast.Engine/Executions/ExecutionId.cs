namespace Holdfast.Engine.Executions;

/// <summary>Names one execution for ever.</summary>
public readonly record struct ExecutionId(string Value)
{
    /// <summary>The id in <paramref name="text"/>; refused as unknown when it cannot be one.</summary>
    public static ExecutionId Parse(string text) => Ulid.IsWellFormed(text) ? new ExecutionId(text) : throw NotFound(text);

    public static RefusedException NotFound(string text) =>
        new(ErrorCodes.ExecutionNotFound, $"There is no execution '{text}'. 'holdfast ls' lists those there are.");

    public override string ToString() => Value;
}
