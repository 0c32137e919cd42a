namespace Holdfast.Engine.Notebooks;

/// <summary>
/// Which cells a caller asks to run. What of them really runs, and in which order, is <see cref="NotebookRunPlan"/>'s to say.
/// </summary>
public abstract record CellSelection
{
    private CellSelection() { }

    public sealed record All : CellSelection;

    /// <summary>0-based, markdown cells counted.</summary>
    public sealed record ByIndex(IReadOnlyList<int> Indices) : CellSelection;

    public sealed record ById(IReadOnlyList<string> CellIds) : CellSelection;

    /// <summary>This cell and all after it.</summary>
    public sealed record FromIndex(int Index) : CellSelection;

    public sealed record FromId(string CellId) : CellSelection;

    /// <summary>From the first cell that is not done: one that failed, that never ran, or that was edited since it ran.</summary>
    public sealed record Resume : CellSelection;
}
