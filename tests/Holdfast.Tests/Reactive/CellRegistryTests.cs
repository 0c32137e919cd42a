using Holdfast.Engine.Reactive;
using static Holdfast.Tests.Reactive.Sources;

namespace Holdfast.Tests.Reactive;

/// <summary>What earlier reactive notebooks got wrong, each as a test, on the graph alone.</summary>
public sealed class CellRegistryTests
{
    private readonly CellRegistry _registry = new();

    [Fact]
    public void A_cell_depends_on_those_that_define_what_it_references()
    {
        Put("a", "x =");
        Put("b", "y = x");
        Put("c", "= x y");
        Assert.Equal("a b", Text(_registry.Graph.Upstream(Id("c"))));
        Assert.Equal("b c", Text(_registry.Graph.Downstream(Id("a"))));
        Assert.Equal("a b", Text(_registry.Graph.Ancestors(Id("c"))));
        Assert.Equal("b c", Text(_registry.Graph.Descendants(Id("a"))));
    }

    [Fact]
    public void An_edit_that_closes_a_cycle_is_refused_and_blocks_every_cell_of_it()
    {
        Put("a", "x =");
        Put("b", "y = x");
        Put("c", "z = y");
        string before = _registry.Graph.Print();
        RegistryChange change = Put("a", "x = z");
        Assert.Equal(before, _registry.Graph.Print());
        Assert.Equal("a b c", Text(change.Verdicts));
        Assert.Empty(change.Registered);
        Assert.Empty(change.Stale);
        foreach (string cell in new[] { "a", "b", "c" })
        {
            BlockReason reason = Assert.Single(_registry.State(Id(cell)).Reasons);
            Assert.Equal(BlockKind.Cycle, reason.Kind);
            Assert.Equal("a.x b.y c.z", string.Join(' ', reason.Cycle.Select(s => $"{s.Cell}.{s.Variable}")));
        }
    }

    [Fact]
    public void A_refused_edit_heals_by_itself_when_another_edit_breaks_the_cycle()
    {
        Put("a", "x =");
        Put("b", "y = x");
        Put("a", "x = y");
        RegistryChange change = Put("b", "y =");
        Assert.Equal("a b", Text(change.Verdicts));
        Assert.Equal("a b", Text(change.Registered));
        Assert.Equal("a b", Text(change.Stale));
        Assert.Equal("b", Text(_registry.Graph.Upstream(Id("a"))));
        Assert.False(_registry.State(Id("a")).IsBlocked);
    }

    [Fact]
    public void An_edit_that_reverses_a_dependency_is_accepted()
    {
        Put("a", "x =");
        Put("b", "y = x");
        Put("b", "y =");
        Put("a", "x = y");
        Assert.Equal("b", Text(_registry.Graph.Upstream(Id("a"))));
        Assert.Equal("b a", Text(_registry.Graph.TopologicalOrder));
    }

    [Fact]
    public void Two_writers_are_both_blocked_and_each_is_told_of_the_other()
    {
        Put("a", "x =");
        string before = _registry.Graph.Print();
        Put("b", "=");
        RegistryChange change = Put("b", "x =");
        Assert.Equal("a b", Text(change.Verdicts));
        Assert.All(
            new[] { "a", "b" },
            cell =>
            {
                NameConflict conflict = Assert.Single(Assert.Single(_registry.State(Id(cell)).Reasons).Conflicts);
                Assert.Equal("x: a b", $"{conflict.Name}: {Text(conflict.Cells)}");
            }
        );
        Assert.StartsWith(before.Split('\n')[0], _registry.Graph.Print(), StringComparison.Ordinal);
    }

    [Fact]
    public void Who_reads_what_only_blocked_cells_would_make_does_not_run_also_where_the_graph_has_nothing_of_them()
    {
        Put("a", "x i =");
        Put("b", "x =");
        Put("c", "i =");
        Put("r", "y = x");
        Put("s", "= y");
        Put("a", "x ="); // What stands for it in the graph makes room for c, and its new text is not in there either.
        Assert.Equal("", Text(_registry.Graph.Upstream(Id("r"))));

        RunPlan plan = RunPlan.For(_registry, [.. _registry.Cells], null);
        Assert.Equal("c", Text(plan.Cells.Select(static p => p.Cell)));
        Assert.Equal(ExclusionReason.UpstreamBlocked, plan.Excluded.Single(static e => e.Cell.Value == "r").Reason);
        Assert.Equal(ExclusionReason.UpstreamBlocked, plan.Excluded.Single(static e => e.Cell.Value == "s").Reason);
        Put("b", "z =");
        Assert.Equal("a b c r s", Text(RunPlan.For(_registry, [.. _registry.Cells], null).Cells.Select(static p => p.Cell)));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("b")]
    public void Ownership_returns_when_one_writer_is_deleted(string deleted)
    {
        Put("a", "x =");
        Put("b", "x =");
        Put("c", "= x");
        _registry.Delete(Id(deleted));
        string left = deleted == "a" ? "b" : "a";
        Assert.False(_registry.State(Id(left)).IsBlocked);
        Assert.Equal(left, Text(_registry.Graph.Upstream(Id("c"))));
    }

    [Fact]
    public void Ownership_returns_when_one_writer_is_renamed()
    {
        Put("a", "x =");
        Put("b", "x =");
        RegistryChange change = Put("a", "other =");
        Assert.Equal("a b", Text(change.Verdicts));
        Assert.Equal("a b", Text(change.Registered));
        Assert.Empty(change.Gone);
    }

    [Fact]
    public void Two_cells_may_swap_their_names_one_after_the_other()
    {
        Put("a", "x =");
        Put("b", "y =");
        Put("a", "y =");
        Assert.True(_registry.State(Id("a")).IsBlocked);
        RegistryChange change = Put("b", "x =");
        Assert.Equal("a b", Text(change.Registered));
        Assert.Empty(_registry.NotRunnable);
        Assert.Equal(Id("a"), _registry.Graph.DefinerOf("y"));
    }

    [Fact]
    public void The_old_names_of_a_blocked_cell_do_not_stand_in_the_way_of_a_good_one()
    {
        Put("a", "x =");
        Put("c", "z =");
        Put("c", "x =");
        RegistryChange change = Put("e", "z =");
        Assert.Equal("e", Text(change.Registered));
        Assert.Equal(Id("e"), _registry.Graph.DefinerOf("z"));
    }

    [Fact]
    public void The_same_import_in_two_cells_is_no_conflict_and_the_first_counts()
    {
        Put("a", "np* =");
        Put("b", "np* y =");
        Put("c", "= np y");
        Assert.Empty(_registry.NotRunnable);
        Assert.Equal("a b", Text(_registry.Graph.Upstream(Id("c"))));
        _registry.Delete(Id("a"));
        Assert.Equal("b", Text(_registry.Graph.Upstream(Id("c"))));
    }

    [Fact]
    public void A_deleted_first_import_may_leave_a_cycle_that_nobody_typed()
    {
        Put("a", "np* =");
        Put("b", "np* y = x");
        Put("c", "x = np");
        Assert.Empty(_registry.NotRunnable);
        _registry.Delete(Id("a"));
        Assert.Equal("b c", Text(_registry.NotRunnable.OrderBy(c => c.Value)));
        Put("a", "np* =", 0);
        Assert.Empty(_registry.NotRunnable);
    }

    [Fact]
    public void A_text_that_cannot_be_read_leaves_the_cells_names_to_others_and_blocks_it_alone()
    {
        Put("a", "x =");
        Put("b", "= x");
        string before = _registry.Graph.Print();
        RegistryChange change = Put("a", "!");
        Assert.Equal("a", Text(change.Verdicts));
        Assert.Equal(before, _registry.Graph.Print());
        Assert.Equal(BlockKind.SyntaxError, Assert.Single(_registry.State(Id("a")).Reasons).Kind);
        Assert.False(_registry.State(Id("b")).IsBlocked);
        RunPlan plan = RunPlan.For(_registry, [], Id("b"));
        Assert.Equal(new ExcludedCell(Id("b"), ExclusionReason.UpstreamBlocked, Id("a")), Assert.Single(plan.Excluded));
    }

    [Fact]
    public void A_name_that_was_renamed_or_deleted_with_its_cell_is_gone_unless_another_cell_has_it()
    {
        Put("a", "x y =");
        Put("b", "= x");
        RegistryChange change = Put("a", "y z =");
        Assert.Equal(["x"], change.Gone);
        Assert.Equal("a b", Text(change.Stale));
        Assert.Equal(["y", "z"], _registry.Delete(Id("a")).Gone);
    }

    [Fact]
    public void Dependents_of_a_deleted_cell_are_stale()
    {
        Put("a", "x =");
        Put("b", "y = x");
        Put("c", "= y");
        Assert.Equal("b c", Text(_registry.Delete(Id("a")).Stale));
    }

    [Fact]
    public void Temporary_names_are_shared_but_never_with_a_definition()
    {
        Put("a", "= -i");
        Put("b", "= -i");
        Assert.Empty(_registry.NotRunnable);
        Put("c", "i =");
        Assert.Equal("a b c", Text(_registry.NotRunnable.OrderBy(c => c.Value)));
    }

    [Fact]
    public void What_a_cell_does_with_its_own_name_makes_no_edge()
    {
        Put("a", "x = x");
        Assert.Empty(_registry.NotRunnable);
        Assert.Empty(_registry.Graph.Upstream(Id("a")));
    }

    [Fact]
    public void A_move_changes_ties_and_nothing_else()
    {
        Put("a", "x =");
        Put("b", "y =");
        Put("c", "= x y");
        _registry.Arrange([Id("c"), Id("b"), Id("a")]);
        Assert.Equal("b a c", Text(RunPlan.For(_registry, _registry.Cells.ToHashSet(), null).Cells.Select(c => c.Cell)));
    }

    private RegistryChange Put(string cell, string source, int? position = null) =>
        _registry.Register(Id(cell), Analysis(source), position);
}
