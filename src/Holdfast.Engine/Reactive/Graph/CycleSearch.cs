namespace Holdfast.Engine.Reactive.Graph;

/// <summary>Looks for a shortest cycle through one cell, breadth first.</summary>
internal static class CycleSearch
{
    /// <summary>
    /// The cycle, beginning with <paramref name="start"/>; empty when there is none. Cells that stand later than
    /// <paramref name="orderMax"/> are not looked at.
    /// </summary>
    public static IReadOnlyList<CycleStep> Through(
        CellNode start,
        Func<CellNode, IEnumerable<(CellNode Cell, string Name)>> outgoing,
        int orderMax
    )
    {
        // By what is found and not by what there is: a verdict searches for each cell of a knot.
        var reachedFrom = new Dictionary<CellNode, (CellNode Cell, string Name)>();
        var open = new Queue<CellNode>();
        open.Enqueue(start);
        while (open.TryDequeue(out CellNode? node))
        {
            foreach ((CellNode next, string name) in outgoing(node))
            {
                if (ReferenceEquals(next, start))
                {
                    return Trace(node, name, start, reachedFrom);
                }

                if (next.Order <= orderMax && reachedFrom.TryAdd(next, (node, name)))
                {
                    open.Enqueue(next);
                }
            }
        }

        return [];
    }

    private static CycleStep[] Trace(
        CellNode last,
        string name,
        CellNode start,
        Dictionary<CellNode, (CellNode Cell, string Name)> reachedFrom
    )
    {
        var steps = new List<CycleStep> { new(last.Id, name) };
        for (CellNode cell = last; !ReferenceEquals(cell, start); )
        {
            (CellNode before, string by) = reachedFrom[cell];
            steps.Add(new CycleStep(before.Id, by));
            cell = before;
        }

        steps.Reverse();
        return [.. steps];
    }
}
