namespace Holdfast.Engine.Reactive.Graph;

/// <summary>
/// Where knots can be while some edits are refused, so that a keystroke elsewhere costs no walk over the whole notebook.
/// 1. Between cells whose wanted registration is in the graph all edges are the graph's own: without a pending cell there is no cycle.
/// 2. So each cell of a knot is reached from a pending cell, and reaches one; the last cell before that is one of the pending cell's own
///    sources, and up to there the way follows the graph's order. Cells behind the last of these sources are in no knot, nor cells before
///    the first reader of a pending one.
/// 3. A pending cell from which no way leads to any, or to which none leads, is in no knot itself. It is looked for from both sides in
///    turns, as one of them is often short: the text just typed lies before or behind what was refused elsewhere. Without it the bounds of
///    2 are closer.
/// 4. The exception to 1 is a name that several cells of the graph import: another of them may be its source in what is wanted. Then, null:
/// anywhere.
/// </summary>
internal sealed class KnotRegion
{
    /// <summary>With more pending cells than this, looking for each by itself costs more than it spares.</summary>
    private const int SoughtMax = 8;

    private readonly NameIndex _graph;
    private readonly IReadOnlySet<CellId> _pending;
    private readonly HashSet<CellNode> _roots;
    private int _first;
    private int _last;

    private KnotRegion(NameIndex graph, IReadOnlySet<CellId> pending, HashSet<CellNode> roots)
    {
        (_graph, _pending, _roots) = (graph, pending, roots);
        Bound();
    }

    public static List<CellNode>? Find(NameIndex wanted, DependencyGraph graph, IReadOnlySet<CellId> pending)
    {
        HashSet<CellNode> roots = [.. pending.Select(wanted.Get)];
        if (
            roots.Any(r =>
                r.Definitions.Any(n => graph.Index.FindName(n.Name) is { Definers.Count: > 1 })
                || graph.Index.Get(r.Id).Definitions.Any(static n => n.Definers.Count > 1)
            )
        )
        {
            return null;
        }

        var region = new KnotRegion(graph.Index, pending, roots);
        while (roots.Count <= SoughtMax && roots.FirstOrDefault(region.IsInNone) is { } free)
        {
            roots.Remove(free);
            region.Bound();
        }

        return region.All();
    }

    private void Bound()
    {
        (_first, _last) = (int.MaxValue, -1);
        foreach (CellNode root in _roots)
        {
            foreach (CellNode source in Edges.Incoming(root).Select(static e => e.Cell).Where(IsSettled))
            {
                _last = Math.Max(_last, Order(source));
            }

            foreach (CellNode reader in Edges.Outgoing(root).Select(static e => e.Cell).Where(IsSettled))
            {
                _first = Math.Min(_first, Order(reader));
            }
        }
    }

    private bool IsInNone(CellNode root)
    {
        (Stack<CellNode> Open, HashSet<CellNode> Seen)[] sides = [(new([root]), []), (new([root]), [])];
        bool[] isMet = [false, false];
        for (int side = 0; !isMet[0] || !isMet[1]; side = isMet[1 - side] ? side : 1 - side)
        {
            if (!sides[side].Open.TryPop(out CellNode? cell))
            {
                return true; // The whole of one side was seen, and no way.
            }

            foreach ((CellNode next, _) in side == 0 ? Edges.Outgoing(cell) : Edges.Incoming(cell))
            {
                isMet[side] |= _roots.Contains(next);
                if (IsWithin(next) && sides[side].Seen.Add(next))
                {
                    sides[side].Open.Push(next);
                }
            }
        }

        return false;
    }

    private List<CellNode> All()
    {
        var region = new List<CellNode>(_roots);
        var seen = new HashSet<CellNode>(_roots);
        for (int i = 0; i < region.Count; i++)
        {
            foreach ((CellNode reader, _) in Edges.Outgoing(region[i]))
            {
                if (IsWithin(reader) && seen.Add(reader))
                {
                    region.Add(reader);
                }
            }
        }

        return region;
    }

    private bool IsWithin(CellNode cell) => IsSettled(cell) && Order(cell) is int order && order >= _first && order <= _last;

    /// <summary>Pending cells are roots, or in no knot.</summary>
    private bool IsSettled(CellNode cell) => !_pending.Contains(cell.Id);

    private int Order(CellNode cell) => _graph.Get(cell.Id).Order;
}
