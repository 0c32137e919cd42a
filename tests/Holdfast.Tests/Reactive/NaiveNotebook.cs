using Holdfast.Engine.Reactive;

namespace Holdfast.Tests.Reactive;

/// <summary>
/// A reactive notebook written the slow and plain way: everything is worked out anew from what each cell wants, by definition, with tables
/// of all pairs.
/// </summary>
internal sealed class NaiveNotebook
{
    public sealed record Cell(CellId Id, CellRegistration Wanted, AnalysisErrorKind? Error, bool IsDisabled);

    public List<Cell> Cells { get; } = [];

    public void Put(CellId id, CellAnalysis analysis, int position)
    {
        int at = Cells.FindIndex(c => c.Id == id);
        CellRegistration wanted =
            analysis.Error is null ? CellRegistration.Of(analysis)
            : at < 0 ? CellRegistration.Empty
            : Cells[at].Wanted;
        var cell = new Cell(id, wanted, analysis.Error?.Kind, at >= 0 && Cells[at].IsDisabled);
        if (at < 0)
        {
            Cells.Insert(position, cell);
        }
        else
        {
            Cells[at] = cell;
        }
    }

    /// <summary>The kinds of reason each cell has for not running, sorted.</summary>
    public Dictionary<CellId, BlockKind[]> Verdicts()
    {
        bool[,] reach = Closure(Edges(Wanted));
        var verdicts = new Dictionary<CellId, BlockKind[]>();
        for (int i = 0; i < Cells.Count; i++)
        {
            var kinds = new List<BlockKind>();
            if (reach[i, i])
            {
                kinds.Add(BlockKind.Cycle);
            }

            if (Wanted[i].Definitions.Concat(Wanted[i].Deletions).Any(n => IsContested(Wanted, n)))
            {
                kinds.Add(BlockKind.MultipleDefinition);
            }

            if (Cells[i].Error is { } error)
            {
                kinds.Add(error == AnalysisErrorKind.SyntaxError ? BlockKind.SyntaxError : BlockKind.StarImport);
            }

            verdicts[Cells[i].Id] = [.. kinds];
        }

        return verdicts;
    }

    public bool IsGood(CellId id) => !Verdicts()[id].Any(static k => k is BlockKind.Cycle or BlockKind.MultipleDefinition);

    public static bool IsValid(IReadOnlyList<CellRegistration> cells)
    {
        bool[,] reach = Closure(Edges(cells));
        return !Enumerable.Range(0, cells.Count).Any(i => reach[i, i])
            && !cells.SelectMany(static c => c.Definitions).Any(n => IsContested(cells, n));
    }

    /// <summary>The plan over registrations as they stand in a graph.</summary>
    public List<CellId> Plan(IReadOnlyList<CellRegistration> graph, HashSet<CellId> stale, CellId? target, Func<CellId, bool> isRunnable)
    {
        bool[,] edges = Edges(graph);
        bool[,] reach = Closure(edges);
        int t = target is { } id ? IndexOf(id) : -1;
        var wanted = Enumerable
            .Range(0, Cells.Count)
            .Where(i =>
                t >= 0
                    ? i == t || reach[t, i] || (reach[i, t] && stale.Contains(Cells[i].Id))
                    : stale.Contains(Cells[i].Id) || Enumerable.Range(0, Cells.Count).Any(s => stale.Contains(Cells[s].Id) && reach[s, i])
            );
        bool[] isStopped =
        [
            .. Enumerable.Range(0, Cells.Count).Select(i => !isRunnable(Cells[i].Id) || graph[i].References.Any(n => HasNoSource(n, i))),
        ];
        var open = wanted.Where(i => !isStopped[i] && !Enumerable.Range(0, Cells.Count).Any(u => reach[u, i] && isStopped[u])).ToList();
        var plan = new List<CellId>();
        while (open.Count > 0)
        {
            int next = open.First(i => !open.Exists(o => edges[o, i]));
            plan.Add(Cells[next].Id);
            open.Remove(next);
        }

        return plan;

        // Cells that may not run would make the name, and none that may.
        bool HasNoSource(string name, int reader) =>
            Enumerable.Range(0, Cells.Count).Any(c => c != reader && !isRunnable(Cells[c].Id) && Wanted[c].Definitions.Contains(name))
            && !Enumerable
                .Range(0, Cells.Count)
                .Any(c => isRunnable(Cells[c].Id) && graph[c].Definitions.Contains(name) && IsSource(graph, name, c));
    }

    public int IndexOf(CellId id) => Cells.FindIndex(c => c.Id == id);

    public static bool[,] Edges(IReadOnlyList<CellRegistration> cells)
    {
        var edges = new bool[cells.Count, cells.Count];
        for (int from = 0; from < cells.Count; from++)
        {
            for (int to = 0; to < cells.Count; to++)
            {
                edges[from, to] =
                    from != to && cells[from].Definitions.Any(n => cells[to].References.Contains(n) && IsSource(cells, n, from));
            }
        }

        return edges;
    }

    private List<CellRegistration> Wanted => Cells.ConvertAll(static c => c.Wanted);

    private static List<int> Definers(IReadOnlyList<CellRegistration> cells, string name) =>
        [.. Enumerable.Range(0, cells.Count).Where(i => cells[i].Definitions.Contains(name))];

    private static bool IsSource(IReadOnlyList<CellRegistration> cells, string name, int cell)
    {
        List<int> definers = Definers(cells, name);
        return IsShared(cells, name, definers) ? definers[0] == cell : definers.Contains(cell);
    }

    private static bool IsShared(IReadOnlyList<CellRegistration> cells, string name, List<int> definers) =>
        definers.Count == 1
        || (
            definers.TrueForAll(d => cells[d].Imports.ContainsKey(name))
            && definers.Select(d => cells[d].Imports[name]).Distinct().Count() == 1
        );

    private static bool IsContested(IReadOnlyList<CellRegistration> cells, string name)
    {
        List<int> definers = Definers(cells, name);
        return definers.Count > 0
            && (
                !IsShared(cells, name, definers)
                || Enumerable.Range(0, cells.Count).Any(i => cells[i].Deletions.Contains(name) && definers.Exists(d => d != i))
            );
    }

    private static bool[,] Closure(bool[,] edges)
    {
        var reach = (bool[,])edges.Clone();
        int count = reach.GetLength(0);
        for (int via = 0; via < count; via++)
        {
            for (int from = 0; from < count; from++)
            {
                for (int to = 0; to < count; to++)
                {
                    reach[from, to] |= reach[from, via] && reach[via, to];
                }
            }
        }

        return reach;
    }
}
