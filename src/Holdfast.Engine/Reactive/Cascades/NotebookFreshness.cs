using Holdfast.Engine.Feed;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Reactive.Registration;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>What of a notebook is stale as it is registered now, and how clients are told. The caller has the notebook's turn.</summary>
internal static class NotebookFreshness
{
    /// <summary>All stale cells.</summary>
    public static HashSet<CellId> StaleCells(StoreReader reader, ReactiveNotebook notebook) =>
        Staleness.Of(
            notebook.Registry,
            notebook.Sources.Keys.ToDictionary(static c => c, c => CellOf(notebook, c)!),
            CellValuesTable.Of(reader, notebook.Path),
            ReactiveKernelsTable.IncarnationOf(reader, notebook.Path)
        );

    /// <summary>
    /// Of some cells those that are stale now, and those that are not: what an edit touches need not be stale, when it takes another edit
    /// back.
    /// </summary>
    public static CellFreshness Among(StoreReader reader, ReactiveNotebook notebook, IReadOnlyCollection<CellId> cells)
    {
        if (cells.Count == 0)
        {
            return CellFreshness.None;
        }

        var values = new Dictionary<CellId, CellValue?>();
        var staleness = new Staleness(
            notebook.Registry,
            c => CellOf(notebook, c),
            ValueOf,
            ReactiveKernelsTable.IncarnationOf(reader, notebook.Path)
        );
        DependencyGraph graph = notebook.Registry.Graph;

        // Those that others need first: then most of an edit's dependents are known to be stale without a look at what the kernel holds of
        // them.
        ILookup<bool, CellId> known = cells.OrderBy(c => graph.Index.Get(c).Order).ToLookup(staleness.IsFresh);
        return new CellFreshness([.. known[false].OrderBy(graph.Position)], [.. known[true].OrderBy(graph.Position)]);

        CellValue? ValueOf(CellId cell) =>
            values.TryGetValue(cell, out CellValue? value) ? value : values[cell] = CellValuesTable.Find(reader, notebook.Path, cell);
    }

    /// <summary>The notebook has this kernel from now on: what another held of it counts no more.</summary>
    public static void SetKernel(FeedLog feed, StoreTransaction transaction, string path, KernelId kernel)
    {
        if (
            ReactiveKernelsTable.Of(transaction, path) is { } before
            && before != kernel
            && CellValuesTable.ForgetAll(transaction, path) is { Count: > 0 } lost
        )
        {
            Announce(feed, transaction, path, "kernelChanged", kernel.Value, new CellFreshness(lost, []));
        }

        ReactiveKernelsTable.Put(transaction, path, kernel);
    }

    /// <summary>Tells that cells became stale, or fresh, otherwise than by an edit or a cascade.</summary>
    /// <param name="cause">A word: kernelStopped, kernelDied, kernelRestarted, kernelChanged, or cellRun.</param>
    public static void Announce(
        FeedLog feed,
        StoreTransaction transaction,
        string path,
        string cause,
        string? kernel,
        CellFreshness cells
    ) =>
        feed.Append(
            transaction,
            "notebook.freshness",
            path,
            writer =>
            {
                writer.WriteString("path", path);
                writer.WriteString("cause", cause);
                writer.WriteString("kernelId", kernel);
                GraphJson.WriteCells(writer, "stale", cells.Stale);
                GraphJson.WriteCells(writer, "fresh", cells.Fresh);
            }
        );

    private static CascadeCell? CellOf(ReactiveNotebook notebook, CellId cell) =>
        notebook.Sources.TryGetValue(cell, out string? source)
            ? new CascadeCell(source, 0, false) { SourceHash = notebook.Hash(cell) }
            : null;
}
