using System.Collections.Concurrent;
using System.Diagnostics;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Tracing;
using Holdfast.Tests.Executions;

namespace Holdfast.Tests.Tracing;

public sealed class ExecutionSpansTests : IAsyncDisposable
{
    private const string Asked = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    private readonly TemporaryLedger _house = new();
    private readonly BlockingCollection<Activity> _ended = [];
    private readonly ActivityListener _listener;

    public ExecutionSpansTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == ExecutionSpans.SourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if (activity.TraceId.ToHexString() == Asked.Split('-')[1]) // Other tests run beside this one.
                {
                    _ended.Add(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _house.DisposeAsync();
        _ended.Dispose();
    }

    [Fact]
    public async Task An_execution_that_ended_is_a_span_of_who_asked_with_its_wait_and_its_run_beneath()
    {
        using var spans = new ExecutionSpans(_house.Store, _house.Feed);
        string request = $$"""{"traceparent":"{{Asked}}","argv":["false"]}""";
        Execution added = await _house.Store.WriteAsync(
            transaction => _house.Ledger.Add(transaction, _house.Draft(), request),
            TemporaryLedger.Cancel
        );
        _house.Clock.Turn(TimeSpan.FromSeconds(2));
        ClaimedJob claimed = Assert.Single(await _house.ClaimAsync(1));
        long started = added.CreatedAt + 3_000_000;
        long ended = added.CreatedAt + 10_000_000;
        _ = await _house.Store.WriteAsync(
            transaction =>
                _house.Ledger.Finish(
                    transaction,
                    claimed.Execution.Id,
                    claimed.Attempt.Id,
                    new Outcome(ExecutionState.Failed, 1, null, "exited", "It exited with 1.", ended),
                    e => e with { StartedAt = started }
                ),
            TemporaryLedger.Cancel
        );

        Dictionary<string, Activity> byName = Enumerable.Range(0, 3).Select(_ => Take()).ToDictionary(static a => a.DisplayName);
        Activity whole = byName["job"];
        Assert.Equal(Asked.Split('-')[2], whole.ParentSpanId.ToHexString());
        Assert.Equal(TimeSpan.FromSeconds(10), whole.Duration);
        Assert.Equal((ActivityStatusCode.Error, "It exited with 1."), (whole.Status, whole.StatusDescription));
        Assert.Equal(added.Id.Value, whole.GetTagItem("holdfast.execution.id"));
        Assert.Equal(1, whole.GetTagItem("process.exit.code"));
        Assert.All([byName["wait"], byName["run"]], part => Assert.Equal(whole.SpanId, part.ParentSpanId));
        Assert.Equal(TimeSpan.FromSeconds(3), byName["wait"].Duration);
        Assert.Equal(TimeSpan.FromSeconds(7), byName["run"].Duration);
    }

    private Activity Take() =>
        _ended.TryTake(out Activity? activity, TimeSpan.FromSeconds(30)) ? activity : throw new TimeoutException("No span came.");
}
