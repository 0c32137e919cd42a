namespace Holdfast.Engine.Reactive.Conversion;

/// <summary>A code cell of a linear notebook as a conversion looks at it.</summary>
/// <param name="Index">Among all cells of the notebook, from 0.</param>
/// <param name="Bindings">Null where the text is no Python, or cannot be read.</param>
public sealed record LinearCell(int Index, CellId Id, string Source, CellAnalysis Analysis, CellBindings? Bindings)
{
    public int? ExecutionCount { get; init; }

    /// <summary>A cell of parameters: others set its names from outside.</summary>
    public bool IsParameters { get; init; }
}
