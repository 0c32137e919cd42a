using Holdfast.Engine.Reactive.Graph;

namespace Holdfast.Engine.Reactive;

/// <summary>
/// The cells of one reactive notebook: the latest text's analysis of each, the valid <see cref="DependencyGraph"/>, and the verdict on
/// every cell. No I/O; not for several threads.
/// 1. An edit that passes the graph's check goes into it. One that does not is refused: the graph stays as it is, the cell is blocked, and
/// so is every cell it is in conflict with.
/// 2. A refused edit stays wanted. Verdicts follow from what is wanted, and from nothing else: not from the order in which cells came to
///    it. So when another edit takes away what stood in the way, the refused one goes into the graph by itself, also when several can only
///    go in together (two cells that swap their names).
/// 3. A cell that is blocked never runs, so what stands in the graph for it only says who would wait for it. Where that is in the way of a
/// good cell, it yields.
/// 4. A text that cannot be read leaves what is wanted of its cell as it was.
/// </summary>
public sealed class CellRegistry
{
    private readonly Dictionary<CellId, RegisteredCell> _cells = [];
    private readonly NameIndex _wanted = new();
    private readonly HashSet<CellId> _pending = [];

    // Cells that are disabled or whose text has an error, so that a verdict need not look at all.
    private readonly HashSet<CellId> _marked = [];
    private Dictionary<CellId, CellState> _states = [];

    // Null when it is to be found anew.
    private Dictionary<CellId, CellId>? _missing;

    public DependencyGraph Graph { get; private set; } = new();

    /// <summary>In the order of the notebook.</summary>
    public IEnumerable<CellId> Cells => _wanted.Cells.Select(static c => c.Id);

    public int Count => _wanted.Cells.Count;

    /// <summary>Cells whose wanted registration the graph does not have.</summary>
    public IReadOnlyCollection<CellId> Pending => _pending;

    public bool Contains(CellId cell) => _cells.ContainsKey(cell);

    public CellAnalysis Analysis(CellId cell) => _cells[cell].Analysis;

    public CellRegistration Wanted(CellId cell) => _cells[cell].Wanted;

    /// <summary>Blocked and disabled cells, in no special order.</summary>
    public IReadOnlyCollection<CellId> NotRunnable => _states.Keys;

    public CellState State(CellId cell) => _states.GetValueOrDefault(cell, CellState.Ok);

    /// <summary>
    /// A blocked cell that would make a name which this one reads, and which nobody makes as things are: its text was refused, and what
    /// stood in the graph for it had to make room. Null where there is none.
    /// </summary>
    public CellId? MissingSource(CellId cell) => MissingSources.TryGetValue(cell, out CellId source) ? source : null;

    /// <summary>
    /// The same of every cell that has one. Found from the refused cells, so that it costs their names and those who read them, and no look
    /// at the whole.
    /// </summary>
    internal IReadOnlyDictionary<CellId, CellId> MissingSources => _missing ??= FindMissing();

    /// <summary>
    /// All cells at once, in the order of the notebook, as a server finds them when it starts: the same verdicts as one after the other.
    /// </summary>
    public static CellRegistry Load(IReadOnlyList<LoadedCell> cells)
    {
        var registry = new CellRegistry();
        foreach (LoadedCell loaded in cells)
        {
            CellRegistration wanted = loaded.Analysis.Error is null ? CellRegistration.Of(loaded.Analysis) : loaded.Registered;
            registry._cells.Add(
                loaded.Cell,
                new RegisteredCell
                {
                    Analysis = loaded.Analysis,
                    Wanted = wanted,
                    IsDisabled = loaded.IsDisabled,
                }
            );
            registry._wanted.Set(registry._wanted.Add(loaded.Cell, registry.Count), wanted);
            registry.Mark(loaded.Cell);
        }

        Dictionary<CellId, CellState> states = registry.Judge(region: null);
        Dictionary<CellId, CellRegistration> had = cells.ToDictionary(static c => c.Cell, static c => c.Registered);
        registry.Rebuild(states, cell => had[cell]);
        registry.Replace(states);
        return registry;
    }

    /// <summary>
    /// Takes a cell's text as analysed: a new cell goes to <paramref name="position"/>, or to the end; a known one keeps its place.
    /// </summary>
    public RegistryChange Register(CellId cell, CellAnalysis analysis, int? position = null)
    {
        bool isNew = !_cells.TryGetValue(cell, out RegisteredCell? known);
        if (isNew)
        {
            known = new RegisteredCell();
            _cells.Add(cell, known);
            _wanted.Add(cell, position ?? Count);
            Graph.Update(new CellEdit(cell, CellRegistration.Empty, position));
        }

        known!.Analysis = analysis;
        Mark(cell);
        CellRegistration wanted = analysis.Error is null ? CellRegistration.Of(analysis) : known.Wanted;
        bool isChanged = !wanted.IsSameAs(known.Wanted);
        known.Wanted = wanted;
        if (isChanged)
        {
            _wanted.Set(_wanted.Get(cell), wanted);
        }

        return Settle(cell, isTextAccepted: analysis.Error is null, isChanged);
    }

    public RegistryChange Delete(CellId cell)
    {
        List<CellId> dependents = Edges.Reach(Graph.Index, [Graph.Index.Get(cell)], forward: true).ConvertAll(static c => c.Id);
        _cells[cell].Wanted = CellRegistration.Empty;
        _cells[cell].Analysis = new CellAnalysis();
        _wanted.Set(_wanted.Get(cell), CellRegistration.Empty);
        RegistryChange change = Settle(cell, isTextAccepted: false, isChanged: true);
        _wanted.Remove(_wanted.Get(cell));
        Graph.Remove(cell);
        _cells.Remove(cell);
        _marked.Remove(cell);
        _pending.Remove(cell);
        _states.Remove(cell);
        _missing = null;
        return change with
        {
            Verdicts = [.. change.Verdicts.Where(c => c != cell)],
            Registered = [.. change.Registered.Where(c => c != cell)],
            Stale = InOrder(change.Stale.Where(c => c != cell).Concat(dependents).Select(_wanted.Get)),
        };
    }

    /// <summary>Puts the cells into another order, which decides ties and which of several equal imports counts.</summary>
    public RegistryChange Arrange(IReadOnlyList<CellId> order)
    {
        if (Cells.SequenceEqual(order))
        {
            return RegistryChange.None;
        }

        bool hasShared = _wanted.Names.Any(static n => n.Definers.Count > 1);
        _wanted.Arrange(order);
        if (!hasShared)
        {
            Graph.Index.Arrange(order);
            _missing = null;
            return RegistryChange.None;
        }

        Dictionary<CellId, CellState> states = Judge(region: null);
        Rebuild(states, Graph.Registration);
        return new RegistryChange(Replace(states), [], [], []);
    }

    public RegistryChange SetDisabled(CellId cell, bool isDisabled)
    {
        if (_cells[cell].IsDisabled == isDisabled)
        {
            return RegistryChange.None;
        }

        _cells[cell].IsDisabled = isDisabled;
        Mark(cell);
        return new RegistryChange(Replace(JudgeByGraph()), [], [], []);
    }

    /// <summary>Brings the graph as near to what is wanted as it can be, and says what came of it.</summary>
    private RegistryChange Settle(CellId edited, bool isTextAccepted, bool isChanged)
    {
        var touched = new Reach(Graph.Index, forward: true);
        List<CellId> before = [];
        var names = new HashSet<string>(StringComparer.Ordinal);
        var registered = new HashSet<CellId>();
        if (isChanged && Graph.Registration(edited).IsSameAs(_cells[edited].Wanted))
        {
            _pending.Remove(edited); // A refused edit was taken back.
        }
        else if (isChanged)
        {
            _pending.Add(edited);
        }

        Dictionary<CellId, CellState>? now = null;

        // The common case needs no look at the whole: nothing was pending, and the edit fits.
        if (_pending.Count == 1 && _pending.Contains(edited) && Fits(edited))
        {
            Take(edited);
        }
        else if (_pending.Count > 0)
        {
            Dictionary<CellId, CellState> states = JudgeByGraph();
            while (_pending.FirstOrDefault(c => IsGood(states, c) && Fits(c)) is { Value: not null } ready)
            {
                Take(ready);
            }

            List<CellId> stuck = [.. _pending.Where(c => IsGood(states, c))];
            if (stuck.Count > 0)
            {
                stuck.ForEach(NoteBefore);
                before = touched.Found.ConvertAll(static c => c.Id);
                Rebuild(states, Graph.Registration);
                touched = new Reach(Graph.Index, forward: true);
                registered.UnionWith(stuck);
            }

            // Nothing moved, so what was judged still holds.
            now = registered.Count == 0 ? states : null;
        }

        if (isTextAccepted && !_pending.Contains(edited))
        {
            registered.Add(edited);
        }

        now ??= JudgeByGraph();
        List<CellNode> changed = [.. registered.Select(Graph.Index.Get)];
        changed.ForEach(touched.Add);
        return new RegistryChange(
            Replace(now),
            InOrder(changed),
            InOrder(touched.Found.Concat(changed).Concat(before.Select(_wanted.Get))),
            [.. names.Where(n => Graph.Index.FindName(n) is not { Definers.Count: > 0 }).Order(StringComparer.Ordinal)]
        );

        void Take(CellId cell)
        {
            NoteBefore(cell);
            Graph.Apply(new CellEdit(cell, _cells[cell].Wanted));
            _pending.Remove(cell);
            registered.Add(cell);
        }

        void NoteBefore(CellId cell)
        {
            touched.Add(Graph.Index.Get(cell));
            names.UnionWith(Graph.Registration(cell).Definitions);
        }
    }

    private bool Fits(CellId cell) => Graph.Check(new CellEdit(cell, _cells[cell].Wanted)).IsPassed;

    private static bool IsGood(Dictionary<CellId, CellState> states, CellId cell) =>
        !states.TryGetValue(cell, out CellState? state)
        || !state.Reasons.Any(static r => r.Kind is BlockKind.Cycle or BlockKind.MultipleDefinition);

    /// <summary>
    /// Makes the graph anew: good cells as they are wanted, the others with the names that nobody contests and without references, so that
    /// they are in no cycle, and every name comes from where it is wanted from. Then those get back what they had before, where that fits.
    /// </summary>
    private void Rebuild(Dictionary<CellId, CellState> states, Func<CellId, CellRegistration> had)
    {
        var graph = new DependencyGraph();
        List<CellId> bad = [.. Cells.Where(c => !IsGood(states, c))];
        foreach (CellId cell in Cells)
        {
            CellRegistration wanted = _cells[cell].Wanted;
            graph.Apply(
                new CellEdit(
                    cell,
                    IsGood(states, cell)
                        ? wanted
                        : new CellRegistration(
                            [.. wanted.Definitions.Where(n => !_wanted.FindName(n)!.IsContested)],
                            [],
                            [],
                            wanted.Imports
                        )
                )
            );
        }

        _pending.Clear();
        foreach (CellId cell in bad)
        {
            var edit = new CellEdit(cell, had(cell));
            if (graph.Check(edit).IsPassed)
            {
                graph.Apply(edit);
            }

            if (!graph.Registration(cell).IsSameAs(_cells[cell].Wanted))
            {
                _pending.Add(cell);
            }
        }

        Graph = graph;
    }

    private Dictionary<CellId, CellId> FindMissing()
    {
        var missing = new Dictionary<CellId, CellId>();
        var first = new Dictionary<NameNode, CellId?>(); // Null once a second definer was there for those whose first is themselves.
        foreach (CellNode definer in _pending.Select(_wanted.Get).OrderBy(static c => c.Position))
        {
            foreach (NameNode wanted in definer.Definitions)
            {
                // Whoever defines a name that nobody makes in the graph was refused: so these are all its definers.
                if (
                    Graph.Index.FindName(wanted.Name) is not { Owner: null } name
                    || (first.TryGetValue(name, out CellId? known) && known is null)
                )
                {
                    continue;
                }

                IEnumerable<CellNode> readers = known is null ? name.Readers : name.Readers.Where(r => r.Id == known);
                first[name] = known is null ? definer.Id : null;
                foreach (CellNode reader in readers.Where(r => r.Id != definer.Id))
                {
                    missing.TryAdd(reader.Id, definer.Id);
                }
            }
        }

        return missing;
    }

    /// <summary>The state of every cell that is not plainly ok.</summary>
    private Dictionary<CellId, CellState> Judge(IReadOnlyList<CellNode>? region) => Verdicts.Of(_wanted, _cells, _marked, region, _pending);

    /// <summary>The same, where the graph has all that is wanted but what is pending: there is no cycle without that.</summary>
    private Dictionary<CellId, CellState> JudgeByGraph() => Judge(_pending.Count == 0 ? [] : KnotRegion.Find(_wanted, Graph, _pending));

    private void Mark(CellId cell)
    {
        if (_cells[cell].IsDisabled || _cells[cell].Analysis.Error is not null)
        {
            _marked.Add(cell);
        }
        else
        {
            _marked.Remove(cell);
        }
    }

    private CellId[] Replace(Dictionary<CellId, CellState> states)
    {
        CellId[] changed = InOrder(
            _states.Keys.Union(states.Keys).Where(c => !State(c).Equals(states.GetValueOrDefault(c, CellState.Ok))).Select(_wanted.Get)
        );
        _states = states;
        _missing = null;
        return changed;
    }

    /// <summary>Each once, in the order of the notebook, without sorting: places are dense.</summary>
    private CellId[] InOrder(IEnumerable<CellNode> cells)
    {
        var isIn = new bool[Count];
        int count = 0;
        foreach (CellNode cell in cells)
        {
            count += isIn[cell.Position] ? 0 : 1;
            isIn[cell.Position] = true;
        }

        var ids = new CellId[count];
        for (int position = 0, at = 0; at < count; position++)
        {
            if (isIn[position])
            {
                ids[at++] = _wanted.Cells[position].Id;
            }
        }

        return ids;
    }
}
