namespace Holdfast.Engine.Reactive.Graph;

/// <summary>The dry check of one edit against a valid graph: reads the graph as it would be, without making it so.</summary>
internal sealed class EditCheck
{
    private readonly NameIndex _index;
    private readonly CellNode _self;
    private readonly CellRegistration _registration;
    private readonly Dictionary<CellNode, string> _sources = [];
    private readonly List<(CellNode Cell, string Name)> _readers = [];
    private readonly List<(CellNode NewOwner, NameNode Name)> _rerouted = [];

    private EditCheck(DependencyGraph graph, CellEdit edit)
    {
        _index = graph.Index;
        _registration = edit.Registration;
        _self = _index.Find(edit.Cell) ?? new CellNode(edit.Cell, _index.SlotCount) { Position = edit.Position ?? graph.Count };
    }

    public static GraphCheck Run(DependencyGraph graph, CellEdit edit)
    {
        var check = new EditCheck(graph, edit);
        List<NameConflict> conflicts = check.Conflicts();
        if (conflicts.Count > 0)
        {
            return new GraphCheck([], conflicts);
        }

        check.FindNewEdges();
        IReadOnlyList<CycleStep> cycle = check.Cycle();
        return cycle.Count == 0 ? GraphCheck.Passed : new GraphCheck(cycle, []);
    }

    /// <summary>
    /// True if the edit makes another cell the first of those that import a name, so that edges change which are not the edited cell's.
    /// </summary>
    public static bool IsRerouting(DependencyGraph graph, CellEdit edit) =>
        graph.Index.Find(edit.Cell) is { } node
        && node.Definitions.Any(n =>
            n.Definers.Count > 1 && ReferenceEquals(n.Owner, node) && !edit.Registration.Definitions.Contains(n.Name)
        );

    private List<NameConflict> Conflicts()
    {
        var conflicts = new List<NameConflict>();
        foreach (string name in _registration.Definitions)
        {
            if (_index.FindName(name) is { } node)
            {
                List<CellNode> others = [.. node.Definers.Where(IsOther)];
                bool isShared = others.TrueForAll(o =>
                    _registration.Imports.TryGetValue(name, out string? what) && o.Registration.Imports.GetValueOrDefault(name) == what
                );
                AddConflict(conflicts, name, [.. isShared ? [] : others, .. node.Deleters.Where(IsOther)]);
            }
        }

        foreach (string name in _registration.Deletions)
        {
            AddConflict(conflicts, name, [.. _index.FindName(name)?.Definers.Where(IsOther) ?? []]);
        }

        return conflicts;
    }

    private void AddConflict(List<NameConflict> conflicts, string name, List<CellNode> others)
    {
        if (others.Count > 0)
        {
            conflicts.Add(
                new NameConflict(name, [.. others.Append(_self).Distinct().OrderBy(static c => c.Position).Select(static c => c.Id)])
            );
        }
    }

    private void FindNewEdges()
    {
        foreach (string name in _registration.References)
        {
            if (OwnerAfter(name) is { } owner && IsOther(owner))
            {
                _sources.TryAdd(owner, name);
            }
        }

        foreach (string name in _registration.Definitions)
        {
            if (_index.FindName(name) is { } node && !IsOther(OwnerAfter(name)!))
            {
                _readers.AddRange(node.Readers.Where(IsOther).Select(r => (r, name)));
            }
        }

        foreach (NameNode name in _self.Definitions)
        {
            if (ReferenceEquals(name.Owner, _self) && OwnerAfter(name.Name) is { } next && IsOther(next))
            {
                _rerouted.Add((next, name));
            }
        }
    }

    private CellNode? OwnerAfter(string name)
    {
        CellNode? first = _registration.Definitions.Contains(name) ? _self : null;
        if (_index.FindName(name) is { } node)
        {
            // The owner is the first already, unless it is the edited cell.
            IReadOnlyList<CellNode> candidates = node.Owner is { } owner && IsOther(owner) ? [owner] : node.Definers;
            foreach (CellNode other in candidates)
            {
                if (IsOther(other) && (first is null || IsBefore(other, first)))
                {
                    first = other;
                }
            }
        }

        return first;
    }

    // A new cell takes the place of the one that stands there, which moves on.
    private static bool IsBefore(CellNode other, CellNode first) => other.Position < first.Position;

    private bool IsOther(CellNode cell) => !ReferenceEquals(cell, _self);

    private IReadOnlyList<CycleStep> Cycle()
    {
        if (_rerouted.Count == 0)
        {
            return _sources.Count == 0 || _readers.Count == 0
                ? []
                : CycleSearch.Through(_self, Outgoing, _sources.Keys.Max(static s => s.Order));
        }

        foreach (CellNode start in _rerouted.Select(static r => r.NewOwner).Prepend(_self).Distinct())
        {
            if (CycleSearch.Through(start, Outgoing, int.MaxValue) is { Count: > 0 } cycle)
            {
                return cycle;
            }
        }

        return [];
    }

    private IEnumerable<(CellNode Cell, string Name)> Outgoing(CellNode node)
    {
        if (!IsOther(node))
        {
            return _readers;
        }

        IEnumerable<(CellNode Cell, string Name)> edges = Edges.Outgoing(node).Where(e => IsOther(e.Cell));
        if (_sources.TryGetValue(node, out string? name))
        {
            edges = edges.Append((_self, name));
        }

        foreach ((CellNode owner, NameNode rerouted) in _rerouted)
        {
            if (ReferenceEquals(owner, node))
            {
                edges = edges.Concat(rerouted.Readers.Where(r => IsOther(r) && !ReferenceEquals(r, node)).Select(r => (r, rerouted.Name)));
            }
        }

        return edges;
    }
}
