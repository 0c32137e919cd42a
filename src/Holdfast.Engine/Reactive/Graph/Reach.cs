namespace Holdfast.Engine.Reactive.Graph;

/// <summary>
/// A growing set of cells that can be reached from some others. What was found once is not walked again, also when edges were added
/// meanwhile elsewhere.
/// </summary>
internal sealed class Reach(NameIndex index, bool forward)
{
    private readonly bool[] _seen = new bool[index.SlotCount];
    private int _walked;

    public List<CellNode> Found { get; } = [];

    /// <summary>Adds what can be reached from this cell; the cell itself only if a path leads to it.</summary>
    public void Add(CellNode start)
    {
        Visit(start);
        while (_walked < Found.Count)
        {
            Visit(Found[_walked++]);
        }
    }

    private void Visit(CellNode node)
    {
        if (forward)
        {
            foreach (NameNode name in node.Definitions)
            {
                if (name.LeadsFrom(node))
                {
                    foreach (CellNode reader in name.Readers)
                    {
                        Take(node, reader);
                    }
                }
            }

            return;
        }

        foreach (NameNode name in node.References)
        {
            foreach (CellNode source in name.Sources)
            {
                Take(node, source);
            }
        }
    }

    private void Take(CellNode from, CellNode to)
    {
        if (!_seen[to.Slot] && !ReferenceEquals(from, to))
        {
            _seen[to.Slot] = true;
            Found.Add(to);
        }
    }
}
