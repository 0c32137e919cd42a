using Holdfast.Engine.Metrics;

namespace Holdfast.Tests.Metrics;

public sealed class FollowerTallyTests
{
    [Fact]
    public void Each_kind_is_counted_while_it_is_there_and_the_furthest_behind_tells_the_lag()
    {
        var tally = new FollowerTally();
        IDisposable first = tally.Enter(FollowerTally.Journal, () => 10);
        using IDisposable second = tally.Enter(FollowerTally.Journal, () => 700);
        using IDisposable leaving = tally.Enter(FollowerTally.Journal, () => throw new ObjectDisposedException("it"));
        using IDisposable feed = tally.Enter(FollowerTally.Feed, () => 3);

        Assert.Equal((3, 700), tally.Look(FollowerTally.Journal));
        Assert.Equal((1, 3), tally.Look(FollowerTally.Feed));
        first.Dispose();
        second.Dispose();
        Assert.Equal((1, 0), tally.Look(FollowerTally.Journal));
    }
}
