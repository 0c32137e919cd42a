namespace Holdfast.Engine.Reactive.Graph;

/// <summary>The edges that names stand for. A cell is never its own neighbour: what it does with its own name is its own affair.</summary>
internal static class Edges
{
    /// <summary>Each neighbour with the name that leads to it; one that several names lead to comes several times.</summary>
    public static IEnumerable<(CellNode Cell, string Name)> Outgoing(CellNode node)
    {
        foreach (NameNode name in node.Definitions)
        {
            if (name.LeadsFrom(node))
            {
                foreach (CellNode reader in name.Readers)
                {
                    if (!ReferenceEquals(reader, node))
                    {
                        yield return (reader, name.Name);
                    }
                }
            }
        }
    }

    public static IEnumerable<(CellNode Cell, string Name)> Incoming(CellNode node)
    {
        foreach (NameNode name in node.References)
        {
            foreach (CellNode definer in name.Sources)
            {
                if (!ReferenceEquals(definer, node))
                {
                    yield return (definer, name.Name);
                }
            }
        }
    }

    /// <summary>
    /// Everything that can be reached from these cells, in no special order; they themselves only if a path leads back to them.
    /// </summary>
    public static List<CellNode> Reach(NameIndex index, IEnumerable<CellNode> from, bool forward)
    {
        var reach = new Reach(index, forward);
        foreach (CellNode start in from)
        {
            reach.Add(start);
        }

        return reach.Found;
    }
}
