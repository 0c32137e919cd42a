namespace Holdfast.Engine.Reactive.Graph;

/// <summary>
/// Finds the knots of an index: largest sets of cells each of which depends on each (strongly connected components of more than one cell),
/// in one pass (Tarjan 1972), without recursion, as notebooks may be chains of any length.
/// </summary>
internal sealed class Knots
{
    private readonly int[] _number;
    private readonly int[] _low;
    private readonly bool[] _isOpen;
    private readonly Stack<CellNode> _path = new();
    private readonly List<List<CellNode>> _found = [];
    private int _next = 1;

    private Knots(NameIndex index)
    {
        _number = new int[index.SlotCount];
        _low = new int[index.SlotCount];
        _isOpen = new bool[index.SlotCount];
    }

    /// <param name="region">Cells outside of it are not looked at; null for all.</param>
    public static List<List<CellNode>> Find(NameIndex index, IReadOnlyList<CellNode>? region)
    {
        var search = new Knots(index);
        if (region is not null)
        {
            Array.Fill(search._number, int.MaxValue); // As if seen and left.
            foreach (CellNode cell in region)
            {
                search._number[cell.Slot] = 0;
            }
        }

        foreach (CellNode cell in region ?? index.Cells)
        {
            if (search._number[cell.Slot] == 0)
            {
                search.From(cell);
            }
        }

        return search._found;
    }

    private void From(CellNode root)
    {
        var calls = new Stack<Call>();
        calls.Push(Enter(root));
        while (calls.TryPop(out Call call))
        {
            if (Advance(ref call, out CellNode? next))
            {
                calls.Push(call);
                if (_number[next!.Slot] == 0)
                {
                    calls.Push(Enter(next));
                }
                else if (_isOpen[next.Slot])
                {
                    _low[call.Node.Slot] = Math.Min(_low[call.Node.Slot], _number[next.Slot]);
                }

                continue;
            }

            Leave(call.Node);
            if (calls.TryPeek(out Call caller))
            {
                _low[caller.Node.Slot] = Math.Min(_low[caller.Node.Slot], _low[call.Node.Slot]);
            }
        }
    }

    private Call Enter(CellNode node)
    {
        _number[node.Slot] = _low[node.Slot] = _next++;
        _isOpen[node.Slot] = true;
        _path.Push(node);
        return new Call(node);
    }

    private static bool Advance(ref Call call, out CellNode? next)
    {
        while (call.Name < call.Node.Definitions.Length)
        {
            NameNode name = call.Node.Definitions[call.Name];
            if (name.LeadsFrom(call.Node) && call.Reader < name.Readers.Count)
            {
                next = name.Readers[call.Reader++];
                if (!ReferenceEquals(next, call.Node))
                {
                    return true;
                }

                continue;
            }

            call.Name++;
            call.Reader = 0;
        }

        next = null;
        return false;
    }

    private void Leave(CellNode node)
    {
        if (_low[node.Slot] != _number[node.Slot])
        {
            return;
        }

        var knot = new List<CellNode>();
        CellNode member;
        do
        {
            member = _path.Pop();
            _isOpen[member.Slot] = false;
            knot.Add(member);
        } while (!ReferenceEquals(member, node));

        if (knot.Count > 1)
        {
            _found.Add(knot);
        }
    }

    // Where the walk stands at one cell: which of its names, and which reader of that.
    private struct Call(CellNode node)
    {
        public CellNode Node { get; } = node;

        public int Name { get; set; }

        public int Reader { get; set; }
    }
}
