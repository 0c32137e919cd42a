using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>Names that a notebook's kernel holds and that no cell defines any more: a deleted cell's, or those that were renamed.</summary>
internal static class Ghosts
{
    /// <summary>
    /// Stores that they are to be removed. Whoever had made one has no whole value any more: if the edit is taken back, the cell is stale.
    /// </summary>
    public static void Note(StoreTransaction transaction, string path, CellRegistry registry)
    {
        List<string> held = CellValuesTable.HeldNames(transaction, path);
        if (held.Count == 0)
        {
            return;
        }

        var defined = registry
            .Cells.SelectMany(c =>
                registry
                    .Wanted(c)
                    .Definitions.Concat(registry.Graph.Registration(c).Definitions)
                    .Concat(registry.Analysis(c).WrittenPrivates)
            )
            .ToHashSet(StringComparer.Ordinal);
        foreach (string name in held.Where(n => !defined.Contains(n)))
        {
            CellValuesTable.ForgetName(transaction, path, name);
            GhostNamesTable.Add(transaction, path, name);
        }
    }
}
