namespace Holdfast.Engine.Reactive.Conversion;

/// <summary>How much a finding matters.</summary>
public enum FindingLevel
{
    /// <summary>Nothing to do; it is good to know.</summary>
    Note,

    /// <summary>The notebook would run, and may give something else than it does now.</summary>
    Warning,

    /// <summary>A cell would be blocked.</summary>
    Error,
}

/// <summary>Something in a linear notebook that is otherwise in a reactive one.</summary>
/// <param name="Kind">One of the kinds of docs/spec/reactive-graph.md, in camelCase.</param>
/// <param name="Line">From 1; 0 when the whole cell is meant.</param>
/// <param name="Message">What was found.</param>
/// <param name="Effect">What reactive mode makes of it.</param>
/// <param name="Fix">What the conversion does about it (<paramref name="IsFixed"/>), or what people can do.</param>
public sealed record Finding(
    string Kind,
    FindingLevel Level,
    int CellIndex,
    CellId Cell,
    int Line,
    string? Name,
    string Message,
    string Effect,
    string Fix,
    bool IsFixed
);
