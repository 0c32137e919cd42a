namespace Holdfast.Engine.Reactive;

/// <summary>
/// A cell as it would be registered. <paramref name="Position"/> is where a new cell goes, 0-based; at the end when not given. A known cell
/// keeps its place.
/// </summary>
public sealed record CellEdit(CellId Cell, CellRegistration Registration, int? Position = null);

/// <summary>Whether an edit would leave the graph valid: no cycle, and one cell to a name.</summary>
/// <param name="Cycle">A cycle that the edit would close; empty when there is none.</param>
public sealed record GraphCheck(IReadOnlyList<CycleStep> Cycle, IReadOnlyList<NameConflict> Conflicts)
{
    public static readonly GraphCheck Passed = new([], []);

    public bool IsPassed => Cycle.Count == 0 && Conflicts.Count == 0;
}
