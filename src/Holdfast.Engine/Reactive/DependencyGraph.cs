using Holdfast.Engine.Reactive.Graph;

namespace Holdfast.Engine.Reactive;

/// <summary>
/// The valid part of a notebook: which cell gets which name from which other, never with a cycle and never with two writers of a name. An
/// edit is checked without touching anything, and changes the graph only when it passed. It knows names and places, no sources and no
/// states: see <see cref="CellRegistry"/>.
/// 1. Cells stand in a topological order at all times (after Pearce and Kelly, "A dynamic topological sort algorithm for directed acyclic
/// graphs", 2006).
/// 2. An edit of one cell can close a cycle only through that cell, and only by a path that lies, in the old order, between its new
///    readers and its new sources: so a check looks at nothing else, and an edit that goes with the order looks at nothing.
/// 3. The exception is an import that stands in several cells. The first of them is its source; an edit can make another the first, and
///    its edges then change too. Such edits are checked, and ordered, over the whole graph.
/// </summary>
public sealed class DependencyGraph
{
    private readonly List<CellNode> _order = [];

    internal NameIndex Index { get; } = new();

    public int Count => Index.Cells.Count;

    /// <summary>In the order of the notebook.</summary>
    public IEnumerable<CellId> Cells => Index.Cells.Select(static c => c.Id);

    /// <summary>
    /// Every cell after the cells it depends on. Ties are in no special order here: a <see cref="RunPlan"/> breaks them by place.
    /// </summary>
    public IEnumerable<CellId> TopologicalOrder => _order.Select(static c => c.Id);

    public bool Contains(CellId cell) => Index.Find(cell) is not null;

    public int Position(CellId cell) => Index.Get(cell).Position;

    public CellRegistration Registration(CellId cell) => Index.Get(cell).Registration;

    /// <summary>The cells this one takes names from, by place.</summary>
    public IReadOnlyList<CellId> Upstream(CellId cell) => ByPlace(Edges.Incoming(Index.Get(cell)).Select(static e => e.Cell));

    /// <summary>The cells that take names from this one, by place.</summary>
    public IReadOnlyList<CellId> Downstream(CellId cell) => ByPlace(Edges.Outgoing(Index.Get(cell)).Select(static e => e.Cell));

    /// <summary>All cells this one depends on, however far, by place.</summary>
    public IReadOnlyList<CellId> Ancestors(CellId cell) => ByPlace(Edges.Reach(Index, [Index.Get(cell)], forward: false));

    /// <summary>All cells that depend on this one, however far, by place.</summary>
    public IReadOnlyList<CellId> Descendants(CellId cell) => ByPlace(Edges.Reach(Index, [Index.Get(cell)], forward: true));

    public CellId? DefinerOf(string name) => Index.FindName(name)?.Owner?.Id;

    public bool IsDefined(string name) => Index.FindName(name) is { Definers.Count: > 0 };

    public bool WouldCreateCycle(CellEdit edit) => Check(edit).Cycle.Count > 0;

    /// <summary>Whether the edit may be made. Touches nothing.</summary>
    public GraphCheck Check(CellEdit edit) => EditCheck.Run(this, edit);

    /// <summary>Makes an edit that passes its check; one that does not is a bug of the caller.</summary>
    public void Update(CellEdit edit)
    {
        if (!Check(edit).IsPassed)
        {
            throw new InvalidOperationException($"The edit of {edit.Cell} does not pass its check.");
        }

        Apply(edit);
    }

    /// <summary>
    /// Takes a cell out. Its registration has to be empty: what its names' absence means for others is checked as an edit.
    /// </summary>
    public void Remove(CellId cell)
    {
        CellNode node = Index.Get(cell);
        if (node.Definitions.Length + node.References.Length + node.Deletions.Length > 0)
        {
            throw new InvalidOperationException($"{cell} is still registered.");
        }

        _order.RemoveAt(node.Order);
        Number(node.Order, _order.Count - 1);
        Index.Remove(node);
    }

    /// <summary>Update without the check, for a caller that has just made it.</summary>
    internal void Apply(CellEdit edit)
    {
        bool isRerouting = EditCheck.IsRerouting(this, edit);
        CellNode node = Index.Find(edit.Cell) ?? Add(edit);
        Index.Set(node, edit.Registration);
        if (isRerouting)
        {
            OrderAnew();
        }
        else
        {
            OrderAround(node);
        }
    }

    /// <summary>A copy in words of all there is, to compare graphs by.</summary>
    internal string Print() =>
        string.Join(
            '\n',
            [
                .. Index.Cells.Select(c =>
                    $"{c.Position} {c.Id} #{c.Order} defs {Join(c.Definitions)} refs {Join(c.References)} dels {Join(c.Deletions)}"
                ),
                .. Index
                    .Names.OrderBy(static n => n.Name, StringComparer.Ordinal)
                    .Select(static n =>
                        $"{n.Name} by {Join(n.Definers)} for {Join(n.Readers)} not {Join(n.Deleters)} from {n.Owner?.Id.Value}"
                    ),
                $"order {Join(_order)}",
            ]
        );

    private static string Join(IEnumerable<NameNode> names) => string.Join(',', names.Select(static n => n.Name));

    private static string Join(IEnumerable<CellNode> cells) => string.Join(',', cells.Select(static c => c.Id.Value));

    private static CellId[] ByPlace(IEnumerable<CellNode> cells) =>
        [.. cells.Distinct().OrderBy(static c => c.Position).Select(static c => c.Id)];

    private CellNode Add(CellEdit edit)
    {
        CellNode node = Index.Add(edit.Cell, edit.Position ?? Count);
        node.Order = _order.Count;
        _order.Add(node);
        return node;
    }

    /// <summary>
    /// Only this cell's edges are new: it goes behind its last source, and whatever depends on it and stood before that goes behind it, in
    /// the order it had.
    /// </summary>
    private void OrderAround(CellNode node)
    {
        int last = node.Order;
        foreach ((CellNode source, _) in Edges.Incoming(node))
        {
            last = Math.Max(last, source.Order);
        }

        int first = node.Order;
        var behind = new HashSet<CellNode>();
        var open = new Stack<CellNode>();
        open.Push(node);
        while (open.TryPop(out CellNode? next))
        {
            foreach ((CellNode reader, _) in Edges.Outgoing(next))
            {
                if (reader.Order < last && behind.Add(reader))
                {
                    first = Math.Min(first, reader.Order);
                    open.Push(reader);
                }
            }
        }

        if (first == last)
        {
            return;
        }

        behind.Add(node);
        List<CellNode> region = _order.GetRange(first, last - first + 1);
        CellNode[] moved = [node, .. region.Where(c => behind.Contains(c) && !ReferenceEquals(c, node))];
        int place = first;
        foreach (CellNode cell in region)
        {
            if (!behind.Contains(cell))
            {
                _order[place++] = cell;
            }
        }

        foreach (CellNode cell in moved)
        {
            _order[place++] = cell;
        }

        Number(first, last);
    }

    private void OrderAnew()
    {
        List<CellNode> sorted = TopologicalSort.Run(Index, Index.Cells);
        _order.Clear();
        _order.AddRange(sorted);
        Number(0, _order.Count - 1);
    }

    private void Number(int first, int last)
    {
        for (int i = first; i <= last; i++)
        {
            _order[i].Order = i;
        }
    }
}
