namespace Holdfast.Engine.Reactive;

/// <summary>One cell of a <see cref="CellRegistry"/>: what its text is found to do, and what of that counts.</summary>
internal sealed class RegisteredCell
{
    /// <summary>Of the latest text.</summary>
    public CellAnalysis Analysis { get; set; } = new();

    /// <summary>Of the latest text that could be read: what this cell is to be. In the graph, too, unless it was refused.</summary>
    public CellRegistration Wanted { get; set; } = CellRegistration.Empty;

    public bool IsDisabled { get; set; }
}
