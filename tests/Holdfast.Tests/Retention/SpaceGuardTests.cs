using Holdfast.Engine;
using Holdfast.Engine.Retention;
using Holdfast.Tests.Executions;

namespace Holdfast.Tests.Retention;

/// <summary>The last of a disk is kept for the work that runs.</summary>
public sealed class SpaceGuardTests
{
    private const long Gigabyte = 1L << 30;

    [Theory]
    [InlineData(100 * Gigabyte, 100 * Gigabyte, false)]
    [InlineData(300L << 20, 100 * Gigabyte, false)]
    [InlineData(200L << 20, 100 * Gigabyte, true)]
    [InlineData(1L << 20, 8L << 20, false)] // A small disk must still be of use.
    [InlineData(1L << 10, 8L << 20, true)]
    public async Task New_work_is_refused_when_little_is_left(long free, long total, bool isRefused)
    {
        await using var house = new TemporaryLedger();
        var guard = new SpaceGuard("/data", house.Store, house.Feed, house.Clock, _ => (free, total));

        RefusedException? refusal = Record.Exception(guard.ThrowIfFull) as RefusedException;

        Assert.Equal(isRefused ? ErrorCodes.DiskFull : null, refusal?.Code);
    }

    [Fact]
    public async Task It_warns_once_when_space_becomes_scarce_and_says_when_there_is_enough_again()
    {
        await using var house = new TemporaryLedger();
        long free = 50 * Gigabyte;
        var guard = new SpaceGuard("/data", house.Store, house.Feed, house.Clock, _ => (free, 100 * Gigabyte));
        foreach (long next in (long[])[50 * Gigabyte, Gigabyte / 2, Gigabyte / 2, 60 * Gigabyte])
        {
            free = next;
            house.Clock.Turn(TimeSpan.FromSeconds(2));
            guard.ThrowIfFull();
            await house.AddAsync(); // Whatever it had to say was written before this.
        }

        Assert.Equal(["disk.low", "disk.enough"], house.Feed.ReadAfter(0, "disk", 10).Select(static e => e.Kind));
    }
}
