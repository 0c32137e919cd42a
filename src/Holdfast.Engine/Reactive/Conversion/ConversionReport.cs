namespace Holdfast.Engine.Reactive.Conversion;

/// <summary>One name in one line of one cell that the conversion changes.</summary>
public sealed record Renaming(int CellIndex, CellId Cell, int Line, string From, string To);

/// <summary>What a conversion would change, or has changed.</summary>
/// <param name="IsReactive">Whether the notebook was reactive already.</param>
/// <param name="FinalNames">Of each renamed name: what its last value is called.</param>
/// <param name="Blocked">Cells that would be blocked all the same.</param>
/// <param name="Backup">The notebook as it was, byte for byte; null while nothing is written.</param>
public sealed record ConversionReport(
    string Path,
    bool IsReactive,
    int CellCount,
    IReadOnlyList<Finding> Findings,
    IReadOnlyList<Renaming> Renamings,
    IReadOnlyDictionary<string, string> FinalNames,
    IReadOnlyList<CellId> Blocked
)
{
    public string? Backup { get; init; }
}
