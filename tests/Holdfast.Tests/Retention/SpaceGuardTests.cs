using Holdfast.Engine;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Retention;
using Holdfast.Tests.Executions;
using Holdfast.Tests.Fakes;

namespace Holdfast.Tests.Retention;

/// <summary>The last of a disk is kept for the work that runs.</summary>
public sealed class SpaceGuardTests
{
    private const long Gigabyte = 1L << 30;

    private readonly RecordingLogger<SpaceGuard> _logger = new();

    [Theory]
    [InlineData(100 * Gigabyte, 100 * Gigabyte, false)]
    [InlineData(300L << 20, 100 * Gigabyte, false)]
    [InlineData(200L << 20, 100 * Gigabyte, true)]
    [InlineData(1L << 20, 8L << 20, false)] // A small disk must still be of use.
    [InlineData(1L << 10, 8L << 20, true)]
    public async Task New_work_is_refused_when_little_is_left(long free, long total, bool isRefused)
    {
        await using var house = new TemporaryLedger();
        var guard = new SpaceGuard("/data", house.Store, house.Feed, house.Clock, _logger, _ => (free, total));

        RefusedException? refusal = Record.Exception(guard.ThrowIfFull) as RefusedException;

        Assert.Equal(isRefused ? ErrorCodes.DiskFull : null, refusal?.Code);
    }

    [Fact]
    public async Task It_warns_once_when_space_becomes_scarce_and_says_when_there_is_enough_again()
    {
        await using var house = new TemporaryLedger();
        long free = 50 * Gigabyte;
        var guard = new SpaceGuard("/data", house.Store, house.Feed, house.Clock, _logger, _ => (free, 100 * Gigabyte));
        foreach (long next in (long[])[50 * Gigabyte, Gigabyte / 2, Gigabyte / 2, Gigabyte / 8, 60 * Gigabyte])
        {
            free = next;
            house.Clock.Turn(TimeSpan.FromSeconds(2));
            _ = guard.Look();
            await house.AddAsync(); // Whatever it had to say was written before this.
        }

        Assert.Equal(["disk.low", "disk.full", "disk.enough"], house.Feed.ReadAfter(0, "disk", 10).Select(static e => e.Kind));
        Assert.Equal(
            [
                "Only 512 MiB are left on the disk of /data. Below 256 MiB no new work is taken; free some space.",
                "Only 128 MiB are left on the disk of /data: no new work is taken, so that what runs can go on. Free some space.",
                "There is enough room again on the disk of /data: 60.0 GiB.",
            ],
            _logger.Lines
        );
    }

    [Fact]
    public async Task A_job_is_not_tried_again_when_there_is_no_room_and_stays_as_it_was()
    {
        await using var house = new TemporaryLedger();
        var guard = new SpaceGuard("/data", house.Store, house.Feed, house.Clock, _logger, static _ => (300 << 10, 100 * Gigabyte));
        var retry = new RetryExecution(house.Store, house.Ledger) { Space = guard };
        Execution ended = await house.AddAsync();
        await house.Store.WriteAsync(
            transaction => house.Ledger.Command(transaction, ended.Id, ExecutionCommand.Cancel),
            TestContext.Current.CancellationToken
        );

        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() =>
            retry.RunAsync(ended.Id, TestContext.Current.CancellationToken)
        );

        Assert.Equal(ErrorCodes.DiskFull, refused.Code);
        Assert.StartsWith("Only 300 KiB are left on the disk of /data. ", refused.Message, StringComparison.Ordinal);
        Assert.Equal(ExecutionState.Cancelled, house.Store.Read(reader => ExecutionsTable.Find(reader, ended.Id))!.State);
    }
}
