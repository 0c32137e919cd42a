using Holdfast.Engine.Reactive.Registration;

namespace Holdfast.Tests.Reactive.Registration;

/// <summary>One at a time, and nothing left of a path that nobody is at.</summary>
public sealed class NotebookTurnsTests
{
    private readonly NotebookTurns _turns = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_next_comes_when_the_one_before_has_left_and_other_paths_wait_for_nobody()
    {
        IDisposable first = await _turns.TakeAsync("a", Cancel);
        Task<IDisposable> second = _turns.TakeAsync("a", Cancel);
        (await _turns.TakeAsync("b", Cancel)).Dispose();
        Assert.False(second.IsCompleted);

        first.Dispose();
        first.Dispose(); // Once is enough, twice does no harm.
        IDisposable taken = await second;
        Task<IDisposable> third = _turns.TakeAsync("a", Cancel);
        Assert.False(third.IsCompleted);
        taken.Dispose();
        (await third).Dispose();
        Assert.Equal(0, _turns.Count);
    }

    [Fact]
    public async Task Whoever_gives_up_waiting_leaves_nothing_behind()
    {
        IDisposable first = await _turns.TakeAsync("a", Cancel);
        using var impatience = new CancellationTokenSource();
        Task<IDisposable> second = _turns.TakeAsync("a", impatience.Token);
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);

        bool isActed = false;
        _turns.IfFree("a", () => isActed = true);
        Assert.False(isActed);
        first.Dispose();
        _turns.IfFree("a", () => isActed = true);
        Assert.True(isActed);
        Assert.Equal(0, _turns.Count);
    }
}
