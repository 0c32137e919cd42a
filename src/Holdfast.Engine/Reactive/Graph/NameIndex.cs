using System.Runtime.InteropServices;

namespace Holdfast.Engine.Reactive.Graph;

/// <summary>
/// Cells in the order of their notebook, and who defines and reads which name. Edges are not stored: they are names. Any set of
/// registrations may stand in it, valid or not. Changing one cell costs its own names, whatever the size of the notebook.
/// </summary>
internal sealed class NameIndex
{
    private readonly Dictionary<CellId, CellNode> _cells = [];
    private readonly Dictionary<string, NameNode> _names = new(StringComparer.Ordinal);
    private readonly List<CellNode> _inOrder = [];
    private readonly HashSet<NameNode> _contested = [];
    private readonly Stack<int> _freeSlots = new();

    /// <summary>
    /// In the order of the notebook. Not for others to change: no interface stands before it, as plans go over all of it.
    /// </summary>
    public List<CellNode> Cells => _inOrder;

    /// <summary>One more than the highest slot.</summary>
    public int SlotCount { get; private set; }

    public IReadOnlyCollection<NameNode> Contested => _contested;

    public IEnumerable<NameNode> Names => _names.Values;

    public CellNode? Find(CellId id) => _cells.GetValueOrDefault(id);

    public CellNode Get(CellId id) =>
        _cells.TryGetValue(id, out CellNode? node) ? node : throw new ArgumentException($"There is no cell {id}.", nameof(id));

    public NameNode? FindName(string name) => _names.GetValueOrDefault(name);

    public CellNode Add(CellId id, int position)
    {
        int slot = _freeSlots.TryPop(out int free) ? free : SlotCount++;
        var node = new CellNode(id, slot);
        _cells.Add(id, node);
        _inOrder.Insert(position, node);
        Number(position);
        return node;
    }

    public void Remove(CellNode node)
    {
        Set(node, CellRegistration.Empty);
        _cells.Remove(node.Id);
        _inOrder.RemoveAt(node.Position);
        Number(node.Position);
        _freeSlots.Push(node.Slot);
    }

    /// <summary>Puts the cells into another order; it has to name each cell once.</summary>
    public void Arrange(IReadOnlyList<CellId> order)
    {
        if (order.Count != _inOrder.Count || order.Distinct().Count() != order.Count)
        {
            throw new ArgumentException("An order names each cell once.", nameof(order));
        }

        CellNode[] nodes = [.. order.Select(Get)];
        _inOrder.Clear();
        _inOrder.AddRange(nodes);
        Number(0);
        foreach (NameNode name in _names.Values)
        {
            name.Decide();
            Note(name);
        }
    }

    public void Set(CellNode node, CellRegistration registration)
    {
        NameNode[] before = [.. node.Definitions, .. node.References, .. node.Deletions];
        foreach (NameNode name in node.Definitions)
        {
            name.RemoveDefiner(node);
        }

        foreach (NameNode name in node.References)
        {
            name.Readers.Remove(node);
        }

        foreach (NameNode name in node.Deletions)
        {
            name.Deleters.Remove(node);
            name.Decide();
        }

        node.Registration = registration;
        node.Definitions = Nodes(registration.Definitions);
        node.References = Nodes(registration.References);
        node.Deletions = Nodes(registration.Deletions);
        foreach (NameNode name in node.Definitions)
        {
            name.AddDefiner(node);
        }

        foreach (NameNode name in node.References)
        {
            name.Readers.Add(node);
        }

        foreach (NameNode name in node.Deletions)
        {
            name.Deleters.Add(node);
            name.Decide();
        }

        foreach (NameNode name in before.Concat(node.Definitions).Concat(node.Deletions))
        {
            Note(name);
        }
    }

    private void Note(NameNode name)
    {
        if (name.IsUnused)
        {
            _names.Remove(name.Name);
        }

        if (name.IsContested)
        {
            _contested.Add(name);
        }
        else
        {
            _contested.Remove(name);
        }
    }

    private NameNode[] Nodes(IReadOnlyList<string> names)
    {
        var nodes = new NameNode[names.Count];
        for (int i = 0; i < nodes.Length; i++)
        {
            ref NameNode? name = ref CollectionsMarshal.GetValueRefOrAddDefault(_names, names[i], out _);
            nodes[i] = name ??= new NameNode(names[i]);
        }

        return nodes;
    }

    private void Number(int from)
    {
        for (int i = from; i < _inOrder.Count; i++)
        {
            _inOrder[i].Position = i;
        }
    }
}
