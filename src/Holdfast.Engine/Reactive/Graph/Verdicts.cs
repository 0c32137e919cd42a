namespace Holdfast.Engine.Reactive.Graph;

/// <summary>Says of each cell whether it may run, from what is wanted of all of them.</summary>
internal static class Verdicts
{
    /// <summary>
    /// Each cell of a knot is told a cycle that it is part of itself, as long as the searches look at no more cells than this; beyond, all
    /// are told the same one.
    /// </summary>
    private const int LookedAtMax = 5_000;

    /// <summary>Cells without an entry are plainly ok.</summary>
    /// <param name="region">Where cycles may be; null for anywhere.</param>
    public static Dictionary<CellId, CellState> Of(
        NameIndex wanted,
        Dictionary<CellId, RegisteredCell> cells,
        HashSet<CellId> marked,
        IReadOnlyList<CellNode>? region,
        HashSet<CellId> pending
    )
    {
        var reasons = new Dictionary<CellId, List<BlockReason>>();
        foreach (CellId id in marked)
        {
            if (cells[id].Analysis.Error is { } error)
            {
                Add(id, new BlockReason(KindOf(error.Kind), error.Message));
            }
        }

        foreach (NameNode name in wanted.Contested.OrderBy(static n => n.Name, StringComparer.Ordinal))
        {
            var conflict = new NameConflict(
                name.Name,
                [.. name.Definers.Concat(name.Deleters).Distinct().OrderBy(static c => c.Position).Select(static c => c.Id)]
            );
            foreach (CellId writer in conflict.Cells)
            {
                AddConflict(writer, conflict);
            }
        }

        foreach (List<CellNode> knot in region is { Count: 0 } ? [] : Knots.Find(wanted, region))
        {
            AddCycles(wanted, knot, pending, Add);
        }

        var states = new Dictionary<CellId, CellState>();
        foreach ((CellId id, List<BlockReason> list) in reasons)
        {
            states[id] = new CellState(list, cells[id].IsDisabled);
        }

        foreach (CellId id in marked.Where(id => !states.ContainsKey(id)))
        {
            states[id] = new CellState([], true);
        }

        return states;

        void Add(CellId cell, BlockReason reason)
        {
            if (!reasons.TryGetValue(cell, out List<BlockReason>? list))
            {
                reasons[cell] = list = [];
            }

            list.Add(reason);
        }

        void AddConflict(CellId cell, NameConflict conflict)
        {
            BlockReason? before = reasons.GetValueOrDefault(cell)?.Find(static r => r.Kind == BlockKind.MultipleDefinition);
            if (before is null)
            {
                Add(cell, Contested([conflict]));
                return;
            }

            reasons[cell].Remove(before);
            reasons[cell].Add(Contested([.. before.Conflicts, conflict]));
        }
    }

    private static void AddCycles(NameIndex wanted, List<CellNode> knot, HashSet<CellId> pending, Action<CellId, BlockReason> add)
    {
        var inside = new HashSet<CellNode>(knot);
        var open = new HashSet<CellNode>(knot);
        BlockReason? reason = null;
        int lookedAt = 0;

        // The cell whose edit closed it first, so that it and the others of its cycle are told the same one.
        foreach (CellNode cell in knot.OrderBy(c => pending.Contains(c.Id) ? 0 : 1).ThenBy(static c => c.Position))
        {
            if (!open.Contains(cell))
            {
                continue;
            }

            if (reason is null || lookedAt + knot.Count <= LookedAtMax)
            {
                lookedAt += knot.Count;
                IReadOnlyList<CycleStep> cycle = CycleSearch.Through(
                    cell,
                    node => Edges.Outgoing(node).Where(e => inside.Contains(e.Cell)),
                    int.MaxValue
                );
                reason = new BlockReason(BlockKind.Cycle, Sentence(cycle)) { Cycle = cycle };
                foreach (CellNode member in cycle.Select(s => wanted.Get(s.Cell)).Where(open.Remove))
                {
                    add(member.Id, reason);
                }
            }

            if (open.Remove(cell))
            {
                add(cell.Id, reason);
            }
        }
    }

    private static string Sentence(IReadOnlyList<CycleStep> cycle) =>
        $"These cells wait for one another: {string.Concat(cycle.Select(static s => $"{s.Cell} -({s.Variable})-> "))}{cycle[0].Cell}. Take one of the variables out of the circle.";

    private static BlockReason Contested(IReadOnlyList<NameConflict> conflicts) =>
        new(
            BlockKind.MultipleDefinition,
            string.Join(" ", conflicts.Select(static c => $"{c.Name} is written by the cells {string.Join(", ", c.Cells)}."))
                + " A variable has one cell: rename it in one of them, or put them together."
        )
        {
            Conflicts = conflicts,
        };

    private static BlockKind KindOf(AnalysisErrorKind kind) =>
        kind switch
        {
            AnalysisErrorKind.SyntaxError => BlockKind.SyntaxError,
            AnalysisErrorKind.StarImport => BlockKind.StarImport,
            _ => BlockKind.NotAnalysed,
        };
}
