using Holdfast.Engine;
using Holdfast.Tests.Fakes;

namespace Holdfast.Tests;

/// <summary>What is done now and then for as long as the server runs.</summary>
public sealed class RecurringTests
{
    /// <summary>A timeout within the work is a failure like any other: only the server's stop ends it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_time_that_fails_is_told_and_the_next_one_comes(bool isTimeout)
    {
        var clock = new FakeClock();
        Exception failure = isTimeout ? new TaskCanceledException("It took too long.") : new InvalidOperationException("It broke.");
        var told = new TaskCompletionSource<Exception>();
        var again = new TaskCompletionSource();
        int times = 0;
        Task WorkAsync()
        {
            if (++times == 1)
            {
                return Task.FromException(failure);
            }

            again.TrySetResult();
            return Task.CompletedTask;
        }

        await using var recurring = new Recurring(TimeSpan.FromMinutes(1), _ => WorkAsync(), told.SetResult, clock);
        recurring.Start();
        clock.Turn(TimeSpan.FromMinutes(1));
        Assert.Same(failure, await told.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        clock.Turn(TimeSpan.FromMinutes(1));
        await again.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task The_stop_ends_what_is_being_done_and_is_no_failure()
    {
        var clock = new FakeClock();
        var begun = new TaskCompletionSource();
        var told = new List<Exception>();
        var recurring = new Recurring(
            TimeSpan.FromMinutes(1),
            async stop =>
            {
                begun.SetResult();
                await new TaskCompletionSource().Task.WaitAsync(stop);
            },
            told.Add,
            clock
        );

        recurring.Start(TimeSpan.Zero);
        clock.Turn(TimeSpan.Zero);
        await begun.Task;
        await recurring.DisposeAsync();

        Assert.Empty(told);
        await clock.NoTimerAsync();
    }
}
