namespace Holdfast.Engine.Reactive;

/// <summary>
/// A cell as it was kept: the analysis of its latest text, and what stood in the graph for it, or would if its text could be read.
/// </summary>
public sealed record LoadedCell(CellId Cell, CellAnalysis Analysis, CellRegistration Registered, bool IsDisabled = false);
