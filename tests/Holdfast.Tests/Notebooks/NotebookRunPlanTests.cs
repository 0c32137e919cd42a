using FsCheck;
using FsCheck.Fluent;
using Holdfast.Engine;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Notebooks;

namespace Holdfast.Tests.Notebooks;

public sealed class NotebookRunPlanTests
{
    // 0 markdown, 1 code done, 2 empty, 3 failed but allowed to, 4 skip tag, 5 failed, 6 never ran
    private static readonly RunCell[] Cells =
    [
        new("m", false, false, [], null),
        new("a", true, false, [], ExecutionState.Succeeded),
        new("e", true, true, [], null),
        new("x", true, false, ["raises-exception"], ExecutionState.Failed),
        new("s", true, false, ["skip-execution"], null),
        new("f", true, false, [], ExecutionState.Failed),
        new("n", true, false, ["other"], null),
    ];

    [Fact]
    public void All_runs_the_code_cells_and_says_why_it_skips_the_others()
    {
        NotebookRunPlan plan = NotebookRunPlan.For(Cells, new CellSelection.All());
        Assert.Equal([new(1, "a", false), new(3, "x", true), new(5, "f", false), new(6, "n", false)], plan.Cells);
        Assert.Equal([new(0, SkipReason.NotCode), new(2, SkipReason.Empty), new(4, SkipReason.Tagged)], plan.Skipped);
    }

    [Fact]
    public void Resume_begins_at_the_first_cell_that_is_not_done() =>
        Assert.Equal([5, 6], Indices(NotebookRunPlan.For(Cells, new CellSelection.Resume())));

    [Theory]
    [InlineData(ExecutionState.Lost)]
    [InlineData(ExecutionState.Cancelled)]
    [InlineData(ExecutionState.TimedOut)]
    [InlineData(ExecutionState.Running)]
    [InlineData(null)]
    public void Resume_takes_anything_but_success_as_not_done(ExecutionState? state) =>
        Assert.Equal(
            [1, 3, 5, 6],
            Indices(NotebookRunPlan.For([Cells[0], Cells[1] with { LastState = state }, .. Cells[2..]], new CellSelection.Resume()))
        );

    [Fact]
    public void Resume_of_a_notebook_that_is_done_is_refused()
    {
        RefusedException refused = Assert.Throws<RefusedException>(() => NotebookRunPlan.For(Cells[..5], new CellSelection.Resume()));
        Assert.Equal(ErrorCodes.NothingToResume, refused.Code);
    }

    [Fact]
    public void From_runs_that_cell_and_all_after_it()
    {
        Assert.Equal([3, 5, 6], Indices(NotebookRunPlan.For(Cells, new CellSelection.FromIndex(2))));
        Assert.Equal([5, 6], Indices(NotebookRunPlan.For(Cells, new CellSelection.FromId("f"))));
    }

    [Fact]
    public void Chosen_cells_run_in_the_notebook_s_order_and_once()
    {
        Assert.Equal([1, 5], Indices(NotebookRunPlan.For(Cells, new CellSelection.ByIndex([5, 1, 5, 0]))));
        Assert.Equal([3, 6], Indices(NotebookRunPlan.For(Cells, new CellSelection.ById(["n", "x", "s"]))));
    }

    [Fact]
    public void A_cell_that_is_not_there_is_refused()
    {
        CellSelection[] selections =
        [
            new CellSelection.ByIndex([7]),
            new CellSelection.ByIndex([-1]),
            new CellSelection.ById(["nope"]),
            new CellSelection.FromIndex(7),
            new CellSelection.FromId("nope"),
        ];
        Assert.All(
            selections,
            selection =>
                Assert.Equal(ErrorCodes.CellNotFound, Assert.Throws<RefusedException>(() => NotebookRunPlan.For(Cells, selection)).Code)
        );
        Assert.Contains(
            "0 to 6",
            Assert.Throws<RefusedException>(() => NotebookRunPlan.For(Cells, selections[0])).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Any_order_of_the_same_choice_gives_the_same_plan()
    {
        Gen<int[]> some = Gen.Choose(0, Cells.Length - 1).NonEmptyListOf().Select(list => list.ToArray());
        Prop.ForAll(
                some.ToArbitrary(),
                indices =>
                {
                    NotebookRunPlan plan = NotebookRunPlan.For(Cells, new CellSelection.ByIndex(indices));
                    NotebookRunPlan reversed = NotebookRunPlan.For(Cells, new CellSelection.ByIndex([.. indices.Reverse()]));
                    return plan.Cells.SequenceEqual(reversed.Cells)
                        && Indices(plan).SequenceEqual(Indices(plan).Order())
                        && plan.Cells.Count + plan.Skipped.Count == indices.Distinct().Count();
                }
            )
            .QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_notebook_s_own_marks_are_what_resume_goes_by()
    {
        NotebookFile notebook = NotebookFile.Parse(GoldenNotebooks.Bytes("executed.ipynb"), "n");
        Assert.Equal([1, 2, 3], Indices(NotebookRunPlan.For(notebook, new CellSelection.Resume())));
        notebook.Cells[1].SetMark(new CellMark("e1", "succeeded"));
        notebook.Cells[2].SetMark(new CellMark("e2", "timedOut"));
        Assert.Equal([2, 3], Indices(NotebookRunPlan.For(notebook, new CellSelection.Resume())));
    }

    [Fact]
    public void A_cell_that_was_edited_since_it_ran_is_not_done()
    {
        NotebookFile notebook = NotebookFile.Parse(GoldenNotebooks.Bytes("executed.ipynb"), "n");
        Assert.All(notebook.Cells.Where(static c => c.IsCode), static c => c.SetMark(new CellMark("e" + c.Index, "succeeded")));
        string SourceOf(string id, int edited) =>
            id == "e" + edited
                ? "what it was"
                : notebook.Cells[int.Parse(id[1..], System.Globalization.CultureInfo.InvariantCulture)].Source;
        Assert.Equal([2, 3], Indices(NotebookRunPlan.For(notebook, new CellSelection.Resume(), id => SourceOf(id, edited: 2))));
        Assert.Equal(
            ErrorCodes.NothingToResume,
            Assert
                .Throws<RefusedException>(() => NotebookRunPlan.For(notebook, new CellSelection.Resume(), id => SourceOf(id, edited: 99)))
                .Code
        );
        // By the state alone.
        Assert.Throws<RefusedException>(() => NotebookRunPlan.For(notebook, new CellSelection.Resume(), static _ => null));
    }

    private static int[] Indices(NotebookRunPlan plan) => [.. plan.Cells.Select(cell => cell.Index)];
}
