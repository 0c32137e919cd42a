using Holdfast.Engine.Reactive.Graph;

namespace Holdfast.Engine.Reactive;

/// <summary>A cell of a plan, and which cells of the plan have to succeed before it, as indices into <see cref="RunPlan.Cells"/>.</summary>
public sealed record PlannedCell(CellId Cell, IReadOnlyList<int> After);

public enum ExclusionReason
{
    Blocked,
    Disabled,
    UpstreamBlocked,
    UpstreamDisabled,
}

/// <summary>A cell that would have been in the plan. <paramref name="Because"/> is the cell that is blocked or disabled: itself, or one it depends on.</summary>
public sealed record ExcludedCell(CellId Cell, ExclusionReason Reason, CellId Because);

/// <summary>
/// What a cascade runs, in order: stale ancestors, the cell, all its descendants; or everything stale and what depends on it. Each cell once, after all it depends on, and of those that
/// could be next the first in the notebook. Cells that may not run are left out, with whatever depends on them.
/// </summary>
public sealed record RunPlan(IReadOnlyList<PlannedCell> Cells, IReadOnlyList<ExcludedCell> Excluded)
{
    /// <param name="target">The cell to run; null for everything that is stale.</param>
    public static RunPlan For(CellRegistry registry, IReadOnlyCollection<CellId> stale, CellId? target)
    {
        NameIndex index = registry.Graph.Index;
        List<CellNode> wanted = target is { } cell ? Around(index, index.Get(cell), stale) : Everything(index, stale);
        CellNode?[] obstacles = Obstacles(registry);
        List<CellNode> sorted = TopologicalSort.Run(index, wanted.FindAll(w => obstacles[w.Slot] is null));
        var place = new int[index.SlotCount];
        Array.Fill(place, -1);
        var planned = new List<PlannedCell>(sorted.Count);
        var after = new List<int>();
        foreach (CellNode node in sorted)
        {
            FindAfter(node, place, after);
            planned.Add(new PlannedCell(node.Id, [.. after]));
            place[node.Slot] = planned.Count - 1;
        }

        return new RunPlan(planned, [.. wanted
            .Where(w => obstacles[w.Slot] is not null)
            .OrderBy(static w => w.Position)
            .Select(w => Exclude(registry, w, obstacles[w.Slot]!))]);
    }

    private static List<CellNode> Around(NameIndex index, CellNode target, IReadOnlyCollection<CellId> stale)
    {
        List<CellNode> wanted = Edges.Reach(index, [target], forward: true);
        wanted.Add(target);
        if (stale.Count > 0)
        {
            IReadOnlySet<CellId> marked = stale as IReadOnlySet<CellId> ?? stale.ToHashSet();
            wanted.AddRange(Edges.Reach(index, [target], forward: false).Where(a => marked.Contains(a.Id)));
        }

        return wanted;
    }

    private static List<CellNode> Everything(NameIndex index, IReadOnlyCollection<CellId> stale)
    {
        List<CellNode> marked = [.. stale.Select(index.Find).OfType<CellNode>()];
        return [.. marked.Union(Edges.Reach(index, marked, forward: true))];
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

        after.Sort();
    }

    /// <summary>For each cell that may not run, by slot, the cell that is why: itself, or else one that it depends on.</summary>
    private static CellNode?[] Obstacles(CellRegistry registry)
    {
        NameIndex index = registry.Graph.Index;
        var obstacles = new CellNode?[index.SlotCount];
        List<CellNode> culprits = [.. registry.NotRunnable.Select(index.Get).OrderByDescending(static c => c.Position)];
        culprits.ForEach(c => obstacles[c.Slot] = c);
        var open = new Stack<CellNode>(culprits);
        while (open.TryPop(out CellNode? cell))
        {
            foreach ((CellNode dependent, _) in Edges.Outgoing(cell))
            {
                if (obstacles[dependent.Slot] is null)
                {
                    obstacles[dependent.Slot] = obstacles[cell.Slot];
                    open.Push(dependent);
                }
            }
        }

        return obstacles;
    }

    private static ExcludedCell Exclude(CellRegistry registry, CellNode cell, CellNode because)
    {
        bool isBlocked = registry.State(because.Id).IsBlocked;
        ExclusionReason reason = ReferenceEquals(cell, because)
            ? isBlocked ? ExclusionReason.Blocked : ExclusionReason.Disabled
            : isBlocked ? ExclusionReason.UpstreamBlocked : ExclusionReason.UpstreamDisabled;
        return new ExcludedCell(cell.Id, reason, because.Id);
    }
}
