using FsCheck;
using FsCheck.Fluent;
using Holdfast.Engine.Reactive;
using static Holdfast.Tests.Reactive.Sources;

namespace Holdfast.Tests.Reactive;

/// <summary>
/// Goal: after any edits, in any order, graph, verdicts, staleness and plan are what a plain model says; the graph is never invalid; a
/// check touches nothing, and a refused edit leaves the graph identical. Method: random walks of edits, deletions, moves and disablings
/// over few cells and few names, so that conflicts abound.
/// </summary>
public sealed class CellRegistryPropertyTests
{
    private static readonly string[] Names = ["p", "q", "r", "s", "t", "u"];

    private sealed record Step(int What, int Which, int Place, string Source);

    [Fact]
    public void Any_walk_agrees_with_the_naive_model()
    {
        Gen<string> words =
            from name in Gen.Elements(Names)
            from mark in Gen.Frequency((4, Gen.Constant("")), (1, Gen.Constant("*")))
            select name + mark;
        Gen<string> uses =
            from name in Gen.Elements(Names)
            from mark in Gen.Frequency((8, Gen.Constant("")), (1, Gen.Constant("-")))
            select mark + name;
        Gen<string> readable =
            from left in Gen.Choose(0, 2).SelectMany(n => words.ListOf(n), static (_, l) => l)
            from right in Gen.Choose(0, 2).SelectMany(n => uses.ListOf(n), static (_, l) => l)
            select $"{string.Join(' ', left.DistinctBy(static w => w.TrimEnd('*')))} = {string.Join(' ', right.Where(r => r[0] != '-' || !left.Any(l => l.TrimEnd('*') == r[1..])))}";
        Gen<Step> step =
            from what in Gen.Choose(0, 19)
            from which in Gen.Choose(0, 7)
            from place in Gen.Choose(0, 7)
            from source in Gen.Frequency((12, readable), (1, Gen.Elements("!", "*")))
            select new Step(what, which, place, source);
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(1500).WithReplay(5, 11).WithEndSize(40),
            Prop.ForAll(step.ArrayOf().ToArbitrary(), Walk)
        );
    }

    private static void Walk(Step[] steps)
    {
        var registry = new CellRegistry();
        var model = new NaiveNotebook();
        foreach (Step step in steps)
        {
            Apply(step, registry, model);
            Compare(registry, model);
        }

        Reload(registry, model);
    }

    private static void Apply(Step step, CellRegistry registry, NaiveNotebook model)
    {
        CellId cell = Id($"c{step.Which}");
        bool isKnown = registry.Contains(cell);
        if (step.What == 0 && isKnown)
        {
            registry.Delete(cell);
            model.Cells.RemoveAt(model.IndexOf(cell));
        }
        else if (step.What == 1)
        {
            List<CellId> order = [.. registry.Cells.OrderBy(c => (c.Value[1] * 7 + step.Place) % 8)];
            registry.Arrange(order);
            model.Cells.Sort((one, other) => order.IndexOf(one.Id).CompareTo(order.IndexOf(other.Id)));
        }
        else if (step.What == 2 && isKnown)
        {
            bool isDisabled = step.Place % 2 == 0;
            registry.SetDisabled(cell, isDisabled);
            model.Cells[model.IndexOf(cell)] = model.Cells[model.IndexOf(cell)] with { IsDisabled = isDisabled };
        }
        else
        {
            CellAnalysis analysis = Analysis(step.Source);
            int position = Math.Min(step.Place, registry.Count);
            Probe(registry, new CellEdit(cell, CellRegistration.Of(analysis), position));
            string before = isKnown ? registry.Graph.Print() : "";
            RegistryChange change = registry.Register(cell, analysis, position);
            model.Put(cell, analysis, position);
            if (isKnown && change.Registered.Count == 0)
            {
                Assert.Equal(before, registry.Graph.Print());
            }

            Assert.Equal(analysis.Error is null && model.IsGood(cell), change.Registered.Contains(cell) && model.IsGood(cell));
            foreach (CellId registered in change.Registered)
            {
                Assert.Subset(change.Stale.ToHashSet(), registry.Graph.Descendants(registered).Append(registered).ToHashSet());
            }
        }
    }

    /// <summary>A check says what is so, and touches nothing.</summary>
    private static void Probe(CellRegistry registry, CellEdit edit)
    {
        string before = registry.Graph.Print();
        List<CellId> cells = [.. registry.Cells];
        List<CellRegistration> after = cells.ConvertAll(registry.Graph.Registration);
        if (cells.IndexOf(edit.Cell) is >= 0 and int at)
        {
            after[at] = edit.Registration;
        }
        else
        {
            after.Insert(edit.Position!.Value, edit.Registration);
        }

        GraphCheck check = registry.Graph.Check(edit);
        Assert.Equal(NaiveNotebook.IsValid(after), check.IsPassed);
        Assert.Equal(before, registry.Graph.Print());
    }

    private static void Compare(CellRegistry registry, NaiveNotebook model)
    {
        Assert.Equal(model.Cells.Select(c => c.Id), registry.Cells);
        Dictionary<CellId, BlockKind[]> verdicts = model.Verdicts();
        List<CellRegistration> graph = [.. registry.Cells.Select(registry.Graph.Registration)];
        Assert.True(NaiveNotebook.IsValid(graph));
        foreach (NaiveNotebook.Cell cell in model.Cells)
        {
            CellState state = registry.State(cell.Id);
            Assert.Equal(verdicts[cell.Id].Order(), state.Reasons.Select(r => r.Kind).Order());
            Assert.Equal(cell.IsDisabled, state.IsDisabled);
            CompareCycle(registry, cell.Id, state);
            Assert.True(
                !model.IsGood(cell.Id) || registry.Graph.Registration(cell.Id).IsSameAs(cell.Wanted),
                $"{cell.Id} is good, and not in the graph"
            );
            Assert.Equal(!registry.Graph.Registration(cell.Id).IsSameAs(cell.Wanted), registry.Pending.Contains(cell.Id));
        }

        bool[,] edges = NaiveNotebook.Edges(graph);
        List<CellId> order = [.. registry.Graph.TopologicalOrder];
        for (int i = 0; i < graph.Count; i++)
        {
            CellId cell = model.Cells[i].Id;
            List<CellId> upstream = [.. Enumerable.Range(0, graph.Count).Where(u => edges[u, i]).Select(u => model.Cells[u].Id)];
            Assert.Equal(upstream, registry.Graph.Upstream(cell));
            Assert.All(upstream, u => Assert.True(order.IndexOf(u) < order.IndexOf(cell)));
            Assert.All(upstream, u => Assert.Contains(cell, registry.Graph.Downstream(u)));
        }

        ComparePlans(registry, model, graph);
    }

    private static void CompareCycle(CellRegistry registry, CellId cell, CellState state)
    {
        foreach (BlockReason reason in state.Reasons.Where(r => r.Kind == BlockKind.Cycle))
        {
            Assert.Contains(cell, reason.Cycle.Select(s => s.Cell));
            for (int i = 0; i < reason.Cycle.Count; i++)
            {
                Assert.Contains(reason.Cycle[i].Variable, registry.Wanted(reason.Cycle[i].Cell).Definitions);
                Assert.Contains(reason.Cycle[i].Variable, registry.Wanted(reason.Cycle[(i + 1) % reason.Cycle.Count].Cell).References);
            }
        }
    }

    private static void ComparePlans(CellRegistry registry, NaiveNotebook model, List<CellRegistration> graph)
    {
        if (registry.Count == 0)
        {
            return;
        }

        HashSet<CellId> stale = [.. model.Cells.Where((_, i) => i % 3 == 1).Select(c => c.Id)];
        foreach (CellId? target in new CellId?[] { null, model.Cells[^1].Id, model.Cells[0].Id })
        {
            RunPlan plan = RunPlan.For(registry, stale, target);
            Assert.Equal(model.Plan(graph, stale, target, c => registry.State(c).IsRunnable), plan.Cells.Select(c => c.Cell));
            Assert.All(plan.Cells, (planned, at) => Assert.All(planned.After, a => Assert.True(a < at)));
            Assert.DoesNotContain(plan.Excluded, e => plan.Cells.Any(c => c.Cell == e.Cell) || registry.State(e.Because).IsRunnable);
        }
    }

    /// <summary>Read from where it was kept, a notebook has the same verdicts.</summary>
    private static void Reload(CellRegistry registry, NaiveNotebook model)
    {
        CellRegistry again = CellRegistry.Load([
            .. registry.Cells.Select(c => new LoadedCell(
                c,
                registry.Analysis(c),
                registry.Analysis(c).Error is null ? registry.Graph.Registration(c) : registry.Wanted(c),
                registry.State(c).IsDisabled
            )),
        ]);
        Compare(again, model);
        Assert.All(
            registry.Cells,
            c => Assert.Equal(registry.State(c).Reasons.Select(r => r.Kind), again.State(c).Reasons.Select(r => r.Kind))
        );
    }
}
