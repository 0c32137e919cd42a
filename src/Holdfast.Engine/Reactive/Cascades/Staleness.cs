using Holdfast.Engine.Executions;
using Holdfast.Engine.Reactive.Graph;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>
/// Which cells are stale. Pure, and nothing that is stored: it follows from what the kernel holds. A cell is fresh when its kernel, in this
/// incarnation, holds a value of it that was made of the source it has now and of the very values of the cells upstream that the kernel
/// holds now, and these are fresh themselves. So an edit that is taken back makes nothing stale, a kernel that starts anew makes everything
/// stale, and a crash can lose no mark.
/// </summary>
/// <param name="cellOf">A cell as it is now; null when the notebook has none.</param>
/// <param name="valueOf">What the kernel holds of it.</param>
/// <param name="incarnation">Of the notebook's kernel; null when it has none, and everything is stale.</param>
internal sealed class Staleness(
    CellRegistry registry,
    Func<CellId, CascadeCell?> cellOf,
    Func<CellId, CellValue?> valueOf,
    AttemptId? incarnation
)
{
    private readonly Dictionary<CellId, bool> _isFresh = [];

    /// <summary>All stale cells of a notebook.</summary>
    public static HashSet<CellId> Of(
        CellRegistry registry,
        IReadOnlyDictionary<CellId, CascadeCell> cells,
        IReadOnlyDictionary<CellId, CellValue> values,
        AttemptId? incarnation
    )
    {
        var staleness = new Staleness(registry, cells.GetValueOrDefault, values.GetValueOrDefault, incarnation);
        return [.. registry.Graph.TopologicalOrder.Where(c => !staleness.IsFresh(c))];
    }

    /// <summary>Looks at this cell, and at those upstream only if it could be fresh by itself; those seen once are known.</summary>
    public bool IsFresh(CellId cell)
    {
        var open = new Stack<CellId>();
        open.Push(cell);
        while (open.TryPeek(out CellId next))
        {
            if (!_isFresh.ContainsKey(next))
            {
                if (Judge(next, open) is not { } isFresh)
                {
                    continue; // Some cells upstream, now on the stack, come first.
                }

                _isFresh[next] = isFresh;
            }

            open.Pop();
        }

        return _isFresh[cell];
    }

    /// <summary>Null when that depends on cells which it has put on the stack.</summary>
    private bool? Judge(CellId cell, Stack<CellId> open)
    {
        CascadeCell? now = cellOf(cell);
        if (now is not null && string.IsNullOrWhiteSpace(now.Source))
        {
            return true; // There is nothing to run.
        }

        if (now is null || incarnation is null || !registry.State(cell).IsRunnable || registry.MissingSource(cell) is not null)
        {
            return false;
        }

        List<CellId> upstream = Upstream(cell);
        if (upstream.Exists(u => _isFresh.TryGetValue(u, out bool isFresh) && !isFresh))
        {
            return false; // Without a look at what the kernel holds: of an edit's many dependents each comes here.
        }

        if (
            valueOf(cell) is not { } held
            || held.Incarnation != incarnation
            || held.SourceHash != now.SourceHash
            || upstream.Count != held.Inputs.Count
        )
        {
            return false;
        }

        List<CellId> unknown = upstream.FindAll(u => !_isFresh.ContainsKey(u));
        unknown.ForEach(open.Push);
        return unknown.Count > 0
            ? null
            : upstream.TrueForAll(u => held.Inputs.TryGetValue(u.Value, out string? read) && valueOf(u)?.Execution.Value == read);
    }

    private List<CellId> Upstream(CellId cell) =>
        [.. Edges.Incoming(registry.Graph.Index.Get(cell)).Select(static e => e.Cell.Id).Distinct()];
}
