using Holdfast.Engine;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Notebooks;
using Holdfast.Tests.Executions;

namespace Holdfast.Tests.Notebooks;

public sealed class GetRunTests : IAsyncDisposable
{
    private readonly TemporaryLedger _house = new();
    private readonly EndWaiters _waiters;
    private readonly GetRun _get;

    public GetRunTests()
    {
        _waiters = new EndWaiters(_house.Feed);
        _get = new GetRun(_house.Store, _waiters, _house.Time);
    }

    public async ValueTask DisposeAsync()
    {
        _waiters.Dispose();
        await _house.DisposeAsync();
    }

    [Theory]
    [InlineData("run.failed")]
    [InlineData("cascade.ended")]
    public async Task Whoever_waits_is_told_by_the_commit_of_the_runs_end_and_by_no_other(string kind)
    {
        await AddAsync("one");
        await AddAsync("two");
        Task ended = _waiters.NextEndAsync("one");
        Task<RunView>[] waiting = [.. Enumerable.Range(0, 3).Select(_ => WaitAsync("one", 3600))];
        await PublishAsync("run.running", "one");
        await PublishAsync("cascade.begun", "one");
        await PublishAsync("cascade.cell", "one");
        await FinishAsync("two", kind);
        Assert.Equal("two", (await WaitAsync("two", 3600).WaitAsync(TemporaryLedger.Cancel)).Run.Id);
        Assert.False(ended.IsCompleted);
        Assert.All(waiting, static w => Assert.False(w.IsCompleted));

        await FinishAsync("one", kind);
        Assert.All(
            await Task.WhenAll(waiting).WaitAsync(TemporaryLedger.Cancel),
            static view => Assert.Equal(RunState.Failed, view.Run.State)
        );
        await _house.Clock.NoTimerAsync().WaitAsync(TemporaryLedger.Cancel);
    }

    [Fact]
    public async Task When_the_time_is_up_it_is_told_as_it_is()
    {
        await AddAsync("one");
        Assert.Equal(RunState.Running, (await WaitAsync("one", 0)).Run.State);
        Task<RunView> waiting = WaitAsync("one", 10);
        _house.Clock.Turn(TimeSpan.FromSeconds(11));
        Assert.Equal(RunState.Running, (await waiting.WaitAsync(TemporaryLedger.Cancel)).Run.State);
        Assert.Equal(ErrorCodes.RunNotFound, (await Assert.ThrowsAsync<RefusedException>(() => WaitAsync("none", 10))).Code);
    }

    [Fact]
    public async Task Whoever_goes_away_is_let_go()
    {
        await AddAsync("one");
        using var gone = new CancellationTokenSource();
        Task<RunView> waiting = _get.WaitAsync("one", TimeSpan.FromHours(1), gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    private Task<RunView> WaitAsync(string id, double seconds) => _get.WaitAsync(id, TimeSpan.FromSeconds(seconds), TemporaryLedger.Cancel);

    private Task AddAsync(string id) =>
        _house.Store.WriteAsync(
            transaction =>
                RunsTable.Insert(
                    transaction,
                    new Run(id, "/a.ipynb", RunState.Running, KernelId.New(), new AttemptId("a"), false, true, 0, 1),
                    "here"
                ),
            TemporaryLedger.Cancel
        );

    private Task FinishAsync(string id, string kind) =>
        _house.Store.WriteAsync(
            transaction =>
            {
                RunsTable.Finish(transaction, id, RunState.Failed, null, 2);
                _house.Feed.Append(transaction, kind, id, static _ => { });
            },
            TemporaryLedger.Cancel
        );

    private Task PublishAsync(string kind, string subject) =>
        _house.Store.WriteAsync(transaction => _house.Feed.Append(transaction, kind, subject, static _ => { }), TemporaryLedger.Cancel);
}
