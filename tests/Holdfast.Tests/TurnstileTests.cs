using Holdfast.Engine;

namespace Holdfast.Tests;

public sealed class TurnstileTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_goes_in_at_a_time()
    {
        using var turnstile = new Turnstile();
        var gate = new TaskCompletionSource();
        int within = 0;
        int most = 0;
        Task<int>[] all =
        [
            .. Enumerable
                .Range(0, 5)
                .Select(n =>
                    turnstile.RunAsync(
                        async _ =>
                        {
                            most = Math.Max(most, ++within);
                            await gate.Task;
                            within--;
                            return n;
                        },
                        Cancel
                    )
                ),
        ];

        gate.SetResult();

        int[] went = await Task.WhenAll(all);
        Assert.Equal([0, 1, 2, 3, 4], went);
        Assert.Equal(1, most);
    }

    /// <summary>A server that stops while somebody is within, another waits, and a third comes later.</summary>
    [Fact]
    public async Task Closed_it_calls_off_who_is_within_and_refuses_everybody_else()
    {
        using var turnstile = new Turnstile();
        Task<int>[] all =
        [
            .. Enumerable
                .Range(0, 2)
                .Select(_ => turnstile.RunAsync(static cancel => new TaskCompletionSource<int>().Task.WaitAsync(cancel), Cancel)),
        ];

        turnstile.Dispose();

        foreach (Task<int> one in (Task<int>[])[.. all, turnstile.RunAsync(static _ => Task.FromResult(1), Cancel)])
        {
            Assert.Equal(ErrorCodes.ServerStopping, (await Assert.ThrowsAsync<RefusedException>(() => one)).Code);
        }
    }

    [Fact]
    public async Task Who_goes_away_by_himself_is_not_told_that_the_server_stops()
    {
        using var turnstile = new Turnstile();
        using var gone = new CancellationTokenSource();
        Task<int> waiting = turnstile.RunAsync(static cancel => new TaskCompletionSource<int>().Task.WaitAsync(cancel), gone.Token);

        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(1, await turnstile.RunAsync(static _ => Task.FromResult(1), Cancel));
    }
}
