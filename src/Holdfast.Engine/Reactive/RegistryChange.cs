namespace Holdfast.Engine.Reactive;

/// <summary>What an edit did to a <see cref="CellRegistry"/>.</summary>
/// <param name="Verdicts">Cells whose state is another now, in the order of the notebook; a deleted cell is not among them.</param>
/// <param name="Registered">Cells whose registration came into the graph: the edited one, if it was accepted, and those it healed.</param>
/// <param name="Stale">Cells whose result no longer follows from their text and their inputs: the registered cells, and all that depend, or
/// did depend, on what changed.</param>
/// <param name="Gone">Names that no registered cell defines any more.</param>
public sealed record RegistryChange(
    IReadOnlyList<CellId> Verdicts,
    IReadOnlyList<CellId> Registered,
    IReadOnlyList<CellId> Stale,
    IReadOnlyList<string> Gone
)
{
    public static readonly RegistryChange None = new([], [], [], []);

    /// <summary>Several changes, one after the other, as one; of cells and names that are there at the end, or not.</summary>
    public static RegistryChange All(IReadOnlyList<RegistryChange> changes, CellRegistry registry)
    {
        if (changes.Count <= 1)
        {
            return changes.Count == 0 ? None : changes[0];
        }

        return new RegistryChange(
            [.. changes.SelectMany(static c => c.Verdicts).Distinct().Where(registry.Contains)],
            [.. changes.SelectMany(static c => c.Registered).Distinct().Where(registry.Contains)],
            [.. changes.SelectMany(static c => c.Stale).Distinct().Where(registry.Contains)],
            [.. changes.SelectMany(static c => c.Gone).Distinct().Where(n => !registry.Graph.IsDefined(n)).Order(StringComparer.Ordinal)]
        );
    }
}
