using System.Text;
using Holdfast.Engine;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Notebooks;
using Holdfast.Protocol.Attempts;

namespace Holdfast.Tests.Notebooks;

public sealed class ActiveRunTests
{
    /// <summary>
    /// Goal: a text that is changed and changed back while a run is saved costs the cell nothing. Method: the save that an editor
    /// overtakes, the one that finds his text, and the next.
    /// </summary>
    [Fact]
    public void A_cell_that_was_passed_over_for_an_edit_is_written_when_the_edit_is_taken_back()
    {
        var execution = new Execution
        {
            Sequence = 1,
            CreatedAt = 1,
            StartedAt = 2,
            Id = new ExecutionId(Ulid.New(TimeProvider.System)),
            Kind = ExecutionKind.Cell,
            State = ExecutionState.Succeeded,
            Queue = "default",
        };
        var active = new ActiveRun(
            new Run("run", "/n.ipynb", RunState.Running, KernelId.New(), new AttemptId("k"), OwnsKernel: true, StopOnError: true, 0, 0),
            [(execution, new CellRequest("x = 1", "a", 0, AllowsError: false))]
        );

        Assert.Equal(0, active.WriteTo(Notebook("x = 1"))); // Never saved: somebody else was first.
        Assert.Equal(1, active.WriteTo(Notebook("x = 2")));
        active.MarkSaved();

        NotebookFile again = Notebook("x = 1");
        Assert.Equal(0, active.WriteTo(again));
        Assert.Equal(execution.Id.Value, again.Cells[0].Mark?.ExecutionId);
    }

    private static NotebookFile Notebook(string source) =>
        NotebookFile.Parse(
            Encoding.UTF8.GetBytes(
                $$"""{"cells":[{"cell_type":"code","id":"a","execution_count":null,"metadata":{},"outputs":[],"source":["{{source}}"]}],"metadata":{},"nbformat":4,"nbformat_minor":5}"""
            ),
            "/n.ipynb"
        );
}
