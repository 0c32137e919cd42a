using Holdfast.Engine.Executions;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Reactive.Graph;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>
/// What a cascade runs, ready to be stored: the order is <see cref="RunPlan"/>'s; here each cell gets an execution, and is told which
/// executions it waits for and whose values it will read. Pure.
/// </summary>
internal sealed record CascadePlan(IReadOnlyList<(ExecutionId Execution, CellRequest Request)> Cells, IReadOnlyList<ExcludedCell> Excluded)
{
    /// <param name="running">What an older cascade runs at this moment. It is let be, unless its text or what it read has changed; whoever
    /// needs it waits for it.</param>
    /// <param name="rest">What an older cascade would still have run: this one takes it over.</param>
    /// <param name="target">The cell to run, with what it needs and what needs it; null for all that is stale.</param>
    /// <param name="edited">Of what is stale only these cells, what needs them and what all those need; null for no such bound. Not with a
    /// target.</param>
    public static CascadePlan For(
        CascadeSubject subject,
        IReadOnlyDictionary<CellId, CellValue> values,
        IReadOnlyCollection<CellValue> running,
        IReadOnlyCollection<CellId> rest,
        AttemptId? incarnation,
        CellId? target,
        Func<ExecutionId> newId,
        IReadOnlyCollection<CellId>? edited = null
    )
    {
        var held = new Dictionary<CellId, CellValue>(values);
        foreach (CellValue soon in running)
        {
            held[soon.Cell] = soon;
        }

        HashSet<CellId> stale = Staleness.Of(subject.Registry, subject.Cells, held, incarnation);
        RunPlan plan =
            target is null && edited is not null
                ? RunPlan.Exactly(
                    subject.Registry,
                    WithNeeds(subject.Registry, WithDependents(subject.Registry, edited).Concat(rest), stale)
                )
                : RunPlan.For(subject.Registry, stale, target);
        if (target is not null && rest.Any(stale.Contains))
        {
            RunPlan whole = RunPlan.Exactly(
                subject.Registry,
                WithNeeds(subject.Registry, rest, stale).Concat(plan.Cells.Select(static c => c.Cell))
            );
            plan = whole with { Excluded = [.. plan.Excluded.Union(whole.Excluded)] };
        }

        var ids = plan.Cells.ToDictionary(static c => c.Cell, _ => newId());
        var open = running.ToDictionary(static r => r.Cell, static r => r.Execution);
        return new CascadePlan([.. plan.Cells.Select(c => (ids[c.Cell], Request(c.Cell)))], plan.Excluded);

        CellRequest Request(CellId cell)
        {
            IReadOnlyList<CellId> upstream = subject.Registry.Graph.Upstream(cell);
            CascadeCell now = subject.Cells[cell];
            CellRegistration made = subject.Registry.Graph.Registration(cell);
            CellAnalysis analysis = subject.Registry.Analysis(cell);
            return new CellRequest(now.Source, cell.Value, now.Index, now.AllowsError)
            {
                After = [.. upstream.Where(u => ids.ContainsKey(u) || open.ContainsKey(u)).Select(u => Input(u))],
                Inputs = upstream.ToDictionary(static u => u.Value, Input),
                Names = NamesOf(made),
                Imports = made.Imports.Count > 0 ? [.. made.Imports.Keys] : null,
                Privates = analysis.WrittenPrivates.Count > 0 ? analysis.WrittenPrivates : null,
                Afterwards = analysis.PassingPrivates.Count > 0 ? PythonNames.SetAside(cell.Value, analysis.PassingPrivates) : null,
                Code = now.Code,
            };
        }

        string Input(CellId cell) => ids.TryGetValue(cell, out ExecutionId planned) ? planned.Value : held[cell].Execution.Value;
    }

    /// <summary>The names that are a cell's own: others may make its imports just so.</summary>
    public static IReadOnlyList<string> NamesOf(CellRegistration made) =>
        [.. made.Definitions.Concat(made.Deletions).Where(n => !made.Imports.ContainsKey(n)).Distinct()];

    private static IEnumerable<CellId> WithDependents(CellRegistry registry, IEnumerable<CellId> cells)
    {
        List<CellNode> nodes = [.. cells.Select(registry.Graph.Index.Find).OfType<CellNode>()];
        return nodes.Union(Edges.Reach(registry.Graph.Index, nodes, forward: true)).Select(static n => n.Id);
    }

    /// <summary>Those of these cells that are stale, with the stale ones that they need.</summary>
    private static HashSet<CellId> WithNeeds(CellRegistry registry, IEnumerable<CellId> cells, HashSet<CellId> stale)
    {
        NameIndex index = registry.Graph.Index;
        HashSet<CellId> wanted = [.. cells.Where(stale.Contains)];
        wanted.UnionWith(Edges.Reach(index, wanted.Select(index.Get), forward: false).Select(static c => c.Id).Where(stale.Contains));
        return wanted;
    }
}
