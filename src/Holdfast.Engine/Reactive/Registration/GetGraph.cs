using Holdfast.Engine.Notebooks;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>One cell of a notebook's graph as it is now.</summary>
/// <param name="References">What it takes from others; built-in names only where another cell gives them a meaning.</param>
/// <param name="BlockedBy">Cells upstream that may not run, so that this one may not either.</param>
/// <param name="IsStale">The notebook's kernel does not hold what the cell would make now.</param>
public sealed record GraphCell(
    CellId Cell,
    CellState State,
    CellAnalysis Analysis,
    IReadOnlyList<string> References,
    IReadOnlyList<CellId> Upstream,
    IReadOnlyList<CellId> BlockedBy,
    string SourceHash,
    bool IsStale
);

/// <summary>A notebook's cells in its order, and what they need of one another.</summary>
public sealed record NotebookGraph(string Path, bool IsReactive, bool IsAutorun, IReadOnlyList<GraphCell> Cells);

/// <summary>The graph of a notebook, linear ones included: they are looked at as if they were reactive. Errors: notebook-*.</summary>
public sealed class GetGraph(ReactiveNotebooks notebooks, string root)
{
    public async Task<NotebookGraph> RunAsync(string path, CancellationToken cancellationToken)
    {
        path = NotebookStorage.RealPathOf(path, root);
        using IDisposable turn = await notebooks.TakeTurnAsync(path, cancellationToken);
        ReactiveNotebook notebook = await notebooks.OpenAsync(path, cancellationToken);
        return Of(notebook, notebooks.StaleCells(notebook));
    }

    private static NotebookGraph Of(ReactiveNotebook notebook, HashSet<CellId> stale)
    {
        CellRegistry registry = notebook.Registry;
        RunPlan all = RunPlan.For(registry, [.. registry.Cells], null);
        Dictionary<CellId, CellId> because = all
            .Excluded.Where(static e => e.Cell != e.Because)
            .ToDictionary(static e => e.Cell, static e => e.Because);
        IReadOnlyDictionary<CellId, List<CellMutation>> clashes = PrivateClashes.Of(registry);
        return new NotebookGraph(
            notebook.Path,
            notebook.IsReactive,
            notebook.IsAutorun,
            [
                .. registry.Cells.Select(c => new GraphCell(
                    c,
                    registry.State(c),
                    WithHints(AnalysisOf(registry, c), clashes.GetValueOrDefault(c)),
                    References(registry, c),
                    registry.Graph.Upstream(c),
                    because.TryGetValue(c, out CellId culprit) ? [culprit] : [],
                    notebook.Hash(c),
                    stale.Contains(c)
                )),
            ]
        );
    }

    private static CellAnalysis WithHints(CellAnalysis analysis, List<CellMutation>? hints) =>
        hints is null ? analysis : analysis with { Mutations = [.. hints, .. analysis.Mutations] };

    /// <summary>
    /// A cell whose text cannot be read is to others what its last readable one was, and is shown with the names of that.
    /// </summary>
    private static CellAnalysis AnalysisOf(CellRegistry registry, CellId cell)
    {
        CellAnalysis analysis = registry.Analysis(cell);
        CellRegistration wanted = registry.Wanted(cell);
        return analysis.Error is null
            ? analysis
            : analysis with
            {
                Definitions = wanted.Definitions,
                References = [.. wanted.References.Where(registry.Graph.IsDefined)],
                Deletions = wanted.Deletions,
            };
    }

    private static IReadOnlyList<string> References(CellRegistry registry, CellId cell)
    {
        CellAnalysis analysis = AnalysisOf(registry, cell);
        List<string> given = [.. analysis.Weak.Where(n => registry.Graph.DefinerOf(n) is { } definer && definer != cell)];
        return given.Count == 0 ? analysis.References : [.. analysis.References.Concat(given).Order(StringComparer.Ordinal)];
    }
}
