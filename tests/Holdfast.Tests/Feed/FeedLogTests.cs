using Holdfast.Engine.Feed;
using Holdfast.Engine.Store;
using Holdfast.Tests.Executions;

namespace Holdfast.Tests.Feed;

public sealed class FeedLogTests : IAsyncDisposable
{
    private readonly TemporaryLedger _house = new();

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    [Fact]
    public async Task Events_are_published_in_the_order_of_their_positions_after_their_commit()
    {
        var unseen = new List<string>();
        _house.Feed.Published += published =>
        {
            if (_house.Feed.LastPosition < published.Position)
            {
                unseen.Add(published.Subject);
            }
        };
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => AppendAsync($"s{i}")));
        await UntilPublishedAsync(60);

        long[] positions = [.. _house.Published.Select(static e => e.Position)];
        Assert.Equal(positions.Order(), positions);
        Assert.Equal(_house.Feed.ReadAfter(0, null, 100), _house.Published);
        Assert.Empty(unseen);
    }

    [Fact]
    public async Task Reading_goes_on_after_a_position_by_subject_and_limit()
    {
        for (int i = 0; i < 6; i++)
        {
            await AppendAsync(i % 2 == 0 ? "even" : "odd");
        }

        Assert.Equal([2, 4], _house.Feed.ReadAfter(0, "odd", 2).Select(static e => e.Position));
        Assert.Equal([6], _house.Feed.ReadAfter(4, "odd", 2).Select(static e => e.Position));
        Assert.Equal([5, 6], _house.Feed.ReadAfter(4, null, 9).Select(static e => e.Position));
        Assert.Empty(_house.Feed.ReadAfter(6, null, 9));
        Assert.Equal(6, _house.Feed.LastPosition);
    }

    [Fact]
    public async Task A_follower_who_takes_growth_before_reading_misses_nothing()
    {
        const int Count = 300;
        Task writing = Task.WhenAll(Enumerable.Range(0, Count).Select(i => AppendAsync($"s{i}")));
        long position = 0;
        while (position < Count)
        {
            Task growth = _house.Feed.Growth;
            IReadOnlyList<FeedEvent> read = _house.Feed.ReadAfter(position, null, 7);
            Assert.Equal(Enumerable.Range(0, read.Count).Select(i => position + 1 + i), read.Select(static e => e.Position));
            position += read.Count;
            if (read.Count == 0)
            {
                await growth.WaitAsync(TemporaryLedger.Cancel);
            }
        }

        await writing;
    }

    [Fact]
    public async Task A_handler_that_throws_does_not_keep_followers_asleep()
    {
        _house.Feed.Published += static _ => throw new InvalidDataException();
        Task growth = _house.Feed.Growth;
        await AppendAsync("s");
        await growth.WaitAsync(TemporaryLedger.Cancel);
    }

    private Task AppendAsync(string subject) =>
        _house.Store.WriteAsync(
            (StoreTransaction transaction) => _house.Feed.Append(transaction, "test.happened", subject, static _ => { }),
            TemporaryLedger.Cancel
        );

    private async Task UntilPublishedAsync(int count)
    {
        while (true)
        {
            Task growth = _house.Feed.Growth;
            if (_house.Published.Count >= count)
            {
                return;
            }

            await growth.WaitAsync(TemporaryLedger.Cancel);
        }
    }
}
