namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>Some cells of a notebook, in its order: those that are stale, and those that are not.</summary>
public sealed record CellFreshness(IReadOnlyList<CellId> Stale, IReadOnlyList<CellId> Fresh)
{
    public static readonly CellFreshness None = new([], []);
}
