using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;

namespace Holdfast.Tests.Executions;

public sealed class OpenCountsTests : IAsyncDisposable
{
    private readonly TemporaryLedger _house = new();

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    [Fact]
    public async Task What_is_open_is_counted_by_kind_and_state_and_what_has_ended_is_not()
    {
        long first = (await _house.AddAsync()).CreatedAt;
        _house.Clock.Turn(TimeSpan.FromSeconds(5));
        for (int i = 0; i < 4; i++)
        {
            _ = await _house.AddAsync();
        }

        _ = await _house.AddAsync(ExecutionKind.Cell, new AttemptId("kernel"));
        Assert.Equal(first, _house.Store.Read(OpenCounts.OldestQueued));
        List<ClaimedJob> claimed = await _house.ClaimAsync(2);
        _ = await _house.AdvanceAsync(claimed[0], ExecutionCommand.ConfirmRunning);
        _ = await _house.FinishAsync(claimed[1], ExecutionState.Succeeded, 0);

        Assert.Equivalent(
            new StateCount[] { new("job", "queued", 3), new("job", "running", 1), new("cell", "queued", 1) },
            _house.Store.Read(OpenCounts.Read),
            strict: true
        );
        Assert.Equal(first + 5_000_000, _house.Store.Read(OpenCounts.OldestQueued));
    }

    [Fact]
    public void No_count_looks_at_rows_that_have_ended()
    {
        foreach (string sql in OpenCounts.All)
        {
            string plan = _house.Store.Read(reader =>
            {
                using Statement explain = reader.Prepare("EXPLAIN QUERY PLAN " + sql);
                Assert.True(explain.Step());
                return explain.Text(3);
            });
            Assert.Contains("INDEX executions_", plan, StringComparison.Ordinal);
        }
    }
}
