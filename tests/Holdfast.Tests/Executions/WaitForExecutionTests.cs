using Holdfast.Engine;
using Holdfast.Engine.Executions;

namespace Holdfast.Tests.Executions;

public sealed class WaitForExecutionTests : IAsyncDisposable
{
    private readonly TemporaryLedger _house = new();
    private readonly EndWaiters _waiters;
    private readonly WaitForExecution _wait;

    public WaitForExecutionTests()
    {
        _waiters = new EndWaiters(_house.Feed);
        _wait = new WaitForExecution(_house.Store, _waiters, _house.Time);
    }

    public async ValueTask DisposeAsync()
    {
        _waiters.Dispose();
        await _house.DisposeAsync();
    }

    [Fact]
    public async Task Every_waiter_is_told_by_the_commit_and_leaves_no_timer()
    {
        Execution added = await _house.AddAsync();
        Task<Execution>[] waiting = [.. Enumerable.Range(0, 30).Select(_ => WaitAsync(added.Id, 3600))];
        Assert.All(waiting, static w => Assert.False(w.IsCompleted));

        await _house.CommandAsync(added.Id, ExecutionCommand.Cancel);

        Assert.All(
            await Task.WhenAll(waiting).WaitAsync(TemporaryLedger.Cancel),
            static e => Assert.Equal(ExecutionState.Cancelled, e.State)
        );
        await _house.Clock.NoTimerAsync().WaitAsync(TemporaryLedger.Cancel);
    }

    [Fact]
    public async Task A_change_that_is_no_end_wakes_nobody()
    {
        Execution added = await _house.AddAsync();
        Task<Execution> waiting = WaitAsync(added.Id, 3600);
        ClaimedJob job = Assert.Single(await _house.ClaimAsync(1));
        await _house.AdvanceAsync(job, ExecutionCommand.ConfirmRunning);
        Assert.False(waiting.IsCompleted);

        await _house.FinishAsync(job, ExecutionState.Failed, 1);
        Assert.Equal(1, (await waiting.WaitAsync(TemporaryLedger.Cancel)).ExitCode);
    }

    [Fact]
    public async Task When_the_time_is_up_the_state_is_told_as_it_is_and_the_work_goes_on()
    {
        Execution added = await _house.AddAsync();
        Task<Execution> patient = WaitAsync(added.Id, 100);
        Task<Execution> hasty = WaitAsync(added.Id, 10);
        _house.Clock.Turn(TimeSpan.FromSeconds(11));

        Assert.Equal(ExecutionState.Queued, (await hasty.WaitAsync(TemporaryLedger.Cancel)).State);
        Assert.False(patient.IsCompleted);
        await _house.CommandAsync(added.Id, ExecutionCommand.Cancel);
        Assert.Equal(ExecutionState.Cancelled, (await patient.WaitAsync(TemporaryLedger.Cancel)).State);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    public async Task Without_time_the_answer_is_at_once(int seconds) =>
        Assert.Equal(ExecutionState.Queued, (await WaitAsync((await _house.AddAsync()).Id, seconds)).State);

    [Fact]
    public async Task A_wait_longer_than_any_timer_still_ends_with_the_execution()
    {
        Execution added = await _house.AddAsync();
        Task<Execution> waiting = _wait.RunAsync(added.Id, TimeSpan.MaxValue, TemporaryLedger.Cancel);
        _house.Clock.Turn(TimeSpan.FromDays(21));
        Assert.False(waiting.IsCompleted);
        await _house.CommandAsync(added.Id, ExecutionCommand.Cancel);
        Assert.Equal(ExecutionState.Cancelled, (await waiting.WaitAsync(TemporaryLedger.Cancel)).State);
    }

    [Fact]
    public async Task What_has_ended_or_never_was_is_answered_at_once()
    {
        Execution added = await _house.AddAsync();
        await _house.CommandAsync(added.Id, ExecutionCommand.Cancel);
        Assert.Equal(ExecutionState.Cancelled, (await WaitAsync(added.Id, 3600)).State);
        Assert.Equal(
            ErrorCodes.ExecutionNotFound,
            (await Assert.ThrowsAsync<RefusedException>(() => WaitAsync(new ExecutionId("none"), 3600))).Code
        );
    }

    [Fact]
    public async Task One_who_leaves_early_takes_nobody_along()
    {
        Execution added = await _house.AddAsync();
        using var leaving = new CancellationTokenSource();
        Task<Execution> left = _wait.RunAsync(added.Id, TimeSpan.FromHours(1), leaving.Token);
        Task<Execution> stays = WaitAsync(added.Id, 3600);
        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        await _house.CommandAsync(added.Id, ExecutionCommand.Cancel);
        Assert.Equal(ExecutionState.Cancelled, (await stays.WaitAsync(TemporaryLedger.Cancel)).State);
    }

    [Fact]
    public async Task Waits_that_race_with_the_end_are_all_answered()
    {
        for (int round = 0; round < 20; round++)
        {
            Execution added = await _house.AddAsync();
            Task<Execution>[] waiting = [.. Enumerable.Range(0, 8).Select(_ => Task.Run(() => WaitAsync(added.Id, 3600)))];
            await _house.CommandAsync(added.Id, ExecutionCommand.Cancel);
            await Task.WhenAll(waiting).WaitAsync(TemporaryLedger.Cancel);
        }
    }

    private Task<Execution> WaitAsync(ExecutionId id, int seconds) =>
        _wait.RunAsync(id, TimeSpan.FromSeconds(seconds), TemporaryLedger.Cancel);
}
