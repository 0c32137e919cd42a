using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Supervision;
using Holdfast.Tests.Executions;

namespace Holdfast.Tests.Kernels;

public sealed class CellCodeTests
{
    [Theory]
    [InlineData(null, null)]
    [InlineData(" \r\n\t", null)]
    [InlineData("\n\n  x = 1  \r\ny", "x = 1")]
    public void A_cell_is_known_by_its_first_line_with_anything_in_it(string? code, string? line) =>
        Assert.Equal(line, CellCode.FirstLine(code));

    [Theory]
    [InlineData("""{"source":"a run's"}""", "a run's")]
    [InlineData("""{"code":"a client's"}""", "a client's")]
    [InlineData("{}", null)]
    [InlineData("", null)]
    [InlineData("""{"code":""", null)]
    [InlineData("""{"code":[1]}""", null)]
    [InlineData("[]", null)]
    [InlineData("7", null)]
    public void A_damaged_request_has_no_code_and_is_no_error(string request, string? code) => Assert.Equal(code, CellCode.Read(request));

    [Fact]
    public async Task A_cell_whose_request_is_damaged_is_told_of_all_the_same()
    {
        await using var house = new TemporaryLedger();
        Execution damaged = await house.Store.WriteAsync(
            transaction => house.Ledger.Add(transaction, house.Draft(ExecutionKind.Cell, new AttemptId("k")), """{"code":"""),
            TemporaryLedger.Cancel
        );
        ExecutionView view = new GetExecution(house.Store, new LiveAttempts()).Run(damaged.Id);
        Assert.Equal((ExecutionState.Queued, null), (view.Execution.State, view.Code));
    }

    [Fact]
    public void A_long_line_is_cut_between_characters() =>
        Assert.Equal(new string('x', 199), CellCode.FirstLine(new string('x', 199) + "😀 = 1"));

    [Fact]
    public async Task A_list_has_the_beginnings_of_cells_and_jobs_whoever_sent_them_and_is_not_stopped_by_one_that_is_damaged()
    {
        await using var house = new TemporaryLedger();
        foreach (
            (ExecutionKind kind, string request) in new[]
            {
                (ExecutionKind.Cell, """{"source":"a run's"}"""),
                (ExecutionKind.Cell, """{"code":"a client's \u00e9\n2"}"""),
                (ExecutionKind.Cell, "{}"),
                (ExecutionKind.Cell, """{"code":"""),
                (ExecutionKind.Job, """{"code":"a job's"}"""),
                (ExecutionKind.Job, """{"argv":["sh","-c","a job's\n2"]}"""),
            }
        )
        {
            await house.Store.WriteAsync(
                transaction => house.Ledger.Add(transaction, house.Draft(kind, new AttemptId("k")), request),
                TemporaryLedger.Cancel
            );
        }

        Assert.Equal(
            ["sh -c a job's\n2", null, null, null, "a client's é\n2", "a run's"],
            house.Store.Read(static reader => ExecutionsTable.Page(reader, new ExecutionFilter())).Select(static row => row.Begins)
        );
    }
}
