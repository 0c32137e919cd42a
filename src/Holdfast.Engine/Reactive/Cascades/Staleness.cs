using Holdfast.Engine.Executions;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>
/// Which cells are stale. Pure, and nothing that is stored: it follows from what the kernel holds. A cell is fresh when its kernel, in this incarnation, holds a value of it that was made of
/// the source it has now and of the very values of the cells upstream that the kernel holds now, and these are fresh themselves. So an edit that is taken back makes nothing stale, a kernel that
/// starts anew makes everything stale, and a crash can lose no mark.
/// </summary>
internal static class Staleness
{
    /// <param name="incarnation">Of the notebook's kernel; null when it has none, and everything is stale.</param>
    public static HashSet<CellId> Of(CellRegistry registry, IReadOnlyDictionary<CellId, CascadeCell> cells, IReadOnlyDictionary<CellId, CellValue> values, AttemptId? incarnation)
    {
        var stale = new HashSet<CellId>();
        foreach (CellId cell in registry.Graph.TopologicalOrder)
        {
            if (!IsFresh(cell))
            {
                stale.Add(cell);
            }
        }

        return stale;

        bool IsFresh(CellId cell)
        {
            if (cells.TryGetValue(cell, out CascadeCell? blank) && string.IsNullOrWhiteSpace(blank.Source))
            {
                return true; // There is nothing to run.
            }

            if (!registry.State(cell).IsRunnable || !cells.TryGetValue(cell, out CascadeCell? now) || !values.TryGetValue(cell, out CellValue? held) ||
                held.Incarnation != incarnation || held.SourceHash != now.SourceHash)
            {
                return false;
            }

            IReadOnlyList<CellId> upstream = registry.Graph.Upstream(cell);
            return upstream.Count == held.Inputs.Count && upstream.All(u =>
                !stale.Contains(u) && held.Inputs.TryGetValue(u.Value, out string? read) && values[u].Execution.Value == read);
        }
    }
}
