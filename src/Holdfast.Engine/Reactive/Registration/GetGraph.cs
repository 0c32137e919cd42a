namespace Holdfast.Engine.Reactive.Registration;

/// <summary>One cell of a notebook's graph as it is now.</summary>
/// <param name="BlockedBy">Cells upstream that may not run, so that this one may not either.</param>
public sealed record GraphCell(
    CellId Cell, CellState State, CellAnalysis Analysis, IReadOnlyList<CellId> Upstream, IReadOnlyList<CellId> BlockedBy, string SourceHash);

public sealed record NotebookGraph(string Path, bool IsReactive, bool IsAutorun, IReadOnlyList<GraphCell> Cells);

/// <summary>The graph of a notebook, linear ones included: they are looked at as if they were reactive. Errors: notebook-*.</summary>
public sealed class GetGraph(ReactiveNotebooks notebooks, string root)
{
    public async Task<NotebookGraph> RunAsync(string path, CancellationToken cancellationToken)
    {
        path = Path.GetFullPath(path, root);
        using IDisposable turn = await notebooks.TakeTurnAsync(path, cancellationToken);
        return Of(await notebooks.OpenAsync(path, cancellationToken));
    }

    internal static NotebookGraph Of(ReactiveNotebook notebook)
    {
        CellRegistry registry = notebook.Registry;
        RunPlan all = RunPlan.For(registry, [.. registry.Cells], null);
        Dictionary<CellId, CellId> because = all.Excluded.Where(static e => e.Cell != e.Because).ToDictionary(static e => e.Cell, static e => e.Because);
        return new NotebookGraph(notebook.Path, notebook.IsReactive, notebook.IsAutorun, [.. registry.Cells.Select(c => new GraphCell(
            c, registry.State(c), registry.Analysis(c), registry.Graph.Upstream(c), because.TryGetValue(c, out CellId culprit) ? [culprit] : [], notebook.Hash(c)))]);
    }
}
