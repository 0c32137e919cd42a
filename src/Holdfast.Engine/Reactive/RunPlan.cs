using Holdfast.Engine.Reactive.Graph;

namespace Holdfast.Engine.Reactive;

/// <summary>A cell of a plan, and which cells of the plan have to succeed before it, as indices into <see cref="RunPlan.Cells"/>.</summary>
public sealed record PlannedCell(CellId Cell, IReadOnlyList<int> After);

/// <summary>Why a cell is left out of a plan: of itself, or for one that it depends on.</summary>
public enum ExclusionReason
{
    Blocked,
    Disabled,
    UpstreamBlocked,
    UpstreamDisabled,
}

/// <summary>
/// A cell that would have been in the plan. <paramref name="Because"/> is the cell that is blocked or disabled: itself, or one it depends
/// on.
/// </summary>
public sealed record ExcludedCell(CellId Cell, ExclusionReason Reason, CellId Because);

/// <summary>
/// What a cascade runs, in order: stale ancestors, the cell, all its descendants; or everything stale and what depends on it. Each cell
/// once, after all it depends on, and of those that could be next the first in the notebook. Cells that may not run are left out, with
/// whatever depends on them.
/// </summary>
public sealed record RunPlan(IReadOnlyList<PlannedCell> Cells, IReadOnlyList<ExcludedCell> Excluded)
{
    /// <param name="target">The cell to run; null for everything that is stale.</param>
    public static RunPlan For(CellRegistry registry, IReadOnlyCollection<CellId> stale, CellId? target)
    {
        NameIndex index = registry.Graph.Index;
        return Of(registry, target is { } cell ? Around(index, index.Get(cell), stale) : Everything(index, stale));
    }

    /// <summary>These cells and no others.</summary>
    public static RunPlan Exactly(CellRegistry registry, IEnumerable<CellId> cells)
    {
        NameIndex index = registry.Graph.Index;
        bool[] isWanted = new bool[index.SlotCount];
        foreach (CellNode cell in cells.Select(index.Get))
        {
            isWanted[cell.Slot] = true;
        }

        return Of(registry, isWanted);
    }

    private static RunPlan Of(CellRegistry registry, bool[] isWanted)
    {
        NameIndex index = registry.Graph.Index;
        Obstacle?[]? obstacles = registry.NotRunnable.Count > 0 ? Obstacles(registry) : null;
        var open = new List<CellNode>();
        var excluded = new List<ExcludedCell>();
        foreach (CellNode node in index.Cells)
        {
            if (!isWanted[node.Slot])
            {
                continue;
            }

            if (obstacles?[node.Slot] is { } obstacle)
            {
                excluded.Add(obstacle.Exclude(node));
            }
            else
            {
                open.Add(node);
            }
        }

        return new RunPlan(Order(index, open), excluded);
    }

    private static List<PlannedCell> Order(NameIndex index, List<CellNode> open)
    {
        int[] place = new int[index.SlotCount];
        Array.Fill(place, -1);
        var planned = new List<PlannedCell>(open.Count);
        var after = new List<int>();
        foreach (CellNode node in TopologicalSort.Run(index, open))
        {
            FindAfter(node, place, after);
            place[node.Slot] = planned.Count;
            planned.Add(new PlannedCell(node.Id, after.Count == 0 ? [] : after.ToArray()));
        }

        return planned;
    }

    private static bool[] Around(NameIndex index, CellNode target, IReadOnlyCollection<CellId> stale)
    {
        var below = new Reach(index, forward: true);
        below.Add(target);
        bool[] isWanted = new bool[index.SlotCount];
        below.Found.ForEach(c => isWanted[c.Slot] = true);
        isWanted[target.Slot] = true;
        if (stale.Count > 0)
        {
            IReadOnlySet<CellId> marked = stale as IReadOnlySet<CellId> ?? stale.ToHashSet();
            foreach (CellNode above in Edges.Reach(index, [target], forward: false))
            {
                isWanted[above.Slot] |= marked.Contains(above.Id);
            }
        }

        return isWanted;
    }

    private static bool[] Everything(NameIndex index, IReadOnlyCollection<CellId> stale)
    {
        bool[] isWanted = new bool[index.SlotCount];
        var known = new List<CellNode>(stale.Count);
        foreach (CellId cell in stale)
        {
            if (index.Find(cell) is { } node && !isWanted[node.Slot])
            {
                isWanted[node.Slot] = true;
                known.Add(node);
            }
        }

        if (known.Count < index.Cells.Count) // After a start of the kernel all are stale, and nobody else is to be found.
        {
            var reach = new Reach(index, forward: true);
            known.ForEach(reach.Add);
            reach.Found.ForEach(c => isWanted[c.Slot] = true);
        }

        return isWanted;
    }

    private static void FindAfter(CellNode node, int[] place, List<int> after)
    {
        after.Clear();
        foreach (NameNode name in node.References)
        {
            foreach (CellNode source in name.Sources)
            {
                if (place[source.Slot] is >= 0 and int at && !after.Contains(at))
                {
                    after.Add(at);
                }
            }
        }

        if (after.Count > 1)
        {
            after.Sort();
        }
    }

    /// <summary>A cell that may not run by itself, and keeps from it whatever depends on it.</summary>
    private sealed record Obstacle(CellNode Cell, bool IsBlocked)
    {
        public ExcludedCell Exclude(CellNode cell)
        {
            bool isItself = ReferenceEquals(cell, Cell);
            ExclusionReason reason = IsBlocked
                ? isItself
                    ? ExclusionReason.Blocked
                    : ExclusionReason.UpstreamBlocked
                : isItself
                    ? ExclusionReason.Disabled
                    : ExclusionReason.UpstreamDisabled;
            return new ExcludedCell(cell.Id, reason, Cell.Id);
        }
    }

    /// <summary>For each cell that may not run, by slot, the cell that is why: itself, or else one that it depends on.</summary>
    private static Obstacle?[] Obstacles(CellRegistry registry)
    {
        NameIndex index = registry.Graph.Index;
        var obstacles = new Obstacle?[index.SlotCount];
        List<CellNode> culprits = [.. registry.NotRunnable.Select(index.Get).OrderByDescending(static c => c.Position)];
        culprits.ForEach(c => obstacles[c.Slot] = new Obstacle(c, registry.State(c.Id).IsBlocked));
        var open = new Stack<CellNode>(culprits);
        foreach ((CellId reader, CellId missing) in registry.MissingSources)
        {
            CellNode node = index.Get(reader);
            if (obstacles[node.Slot] is null)
            {
                obstacles[node.Slot] = new Obstacle(index.Get(missing), registry.State(missing).IsBlocked);
                open.Push(node);
            }
        }

        while (open.TryPop(out CellNode? cell))
        {
            // Half of a large notebook may come by here, so without an iterator for each cell.
            foreach (NameNode name in cell.Definitions)
            {
                if (!name.LeadsFrom(cell))
                {
                    continue;
                }

                foreach (CellNode dependent in name.Readers)
                {
                    if (obstacles[dependent.Slot] is null)
                    {
                        obstacles[dependent.Slot] = obstacles[cell.Slot];
                        open.Push(dependent);
                    }
                }
            }
        }

        return obstacles;
    }
}
