using Holdfast.Engine.Recovery;
using Holdfast.Engine.Store;
using Holdfast.Tests.Executions;

namespace Holdfast.Tests.Recovery;

/// <summary>What is kept of start-ups.</summary>
public sealed class RecoveryStartsTableTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_start_knows_those_just_before_it_that_were_interrupted_and_how_far_they_came()
    {
        await using var house = new TemporaryLedger();
        await FinishAsync(house, await BeginAsync(house, 1));
        await BeginAsync(house, 2);
        long third = await BeginAsync(house, 3);
        await house.Store.WriteAsync(t => RecoveryStartsTable.Progress(t, third, "jobs"), Cancel);
        long now = await BeginAsync(house, 4);

        Assert.Equal(
            [new InterruptedStart(3, "jobs"), new InterruptedStart(2, null)],
            house.Store.Read(r => RecoveryStartsTable.InterruptedBefore(r, now))
        );

        await FinishAsync(house, now);
        long next = await BeginAsync(house, 5);
        Assert.Empty(house.Store.Read(r => RecoveryStartsTable.InterruptedBefore(r, next)));
        Assert.Equal(
            [(4, true), (3, false), (2, false), (1, true)],
            house.Store.Read(r => RecoveryStartsTable.Before(r, next)).Select(static r => ((int)r.StartedAt, r.IsComplete))
        );
    }

    [Fact]
    public async Task Twenty_starts_before_the_present_one_are_kept_and_no_more()
    {
        await using var house = new TemporaryLedger();
        long last = 0;
        for (int n = 1; n <= 30; n++)
        {
            await FinishAsync(house, last = await BeginAsync(house, n));
        }

        List<RecoveryReport> before = house.Store.Read(r => RecoveryStartsTable.Before(r, last));

        Assert.Equal(Enumerable.Range(10, 20).Reverse(), before.Select(static r => (int)r.StartedAt));
        Assert.Equal(21, house.Store.Read(static r => RecoveryStartsTable.Before(r, long.MaxValue).Count + 1));
    }

    [Fact]
    public async Task A_report_comes_back_as_it_was_kept_and_one_that_is_damaged_keeps_the_others_readable()
    {
        await using var house = new TemporaryLedger();
        long first = await BeginAsync(house, 1);
        await FinishAsync(house, first);
        long second = await BeginAsync(house, 2);
        await FinishAsync(house, second);
        await house.Store.WriteAsync(
            t =>
            {
                using Statement damage = t.Prepare("UPDATE recovery_starts SET report = '{' WHERE id = ?1").Bind(1, first);
                damage.Execute();
            },
            Cancel
        );

        List<RecoveryReport> before = house.Store.Read(r => RecoveryStartsTable.Before(r, second + 1));

        Assert.Equal([true, false], before.Select(static r => r.IsComplete));
        Assert.Equal(
            ("lost", 3, 7, "9.9"),
            (before[0].Attempts[0].Verdict, before[0].CountOf("lost"), before[0].Queued, before[0].Version)
        );
        Assert.Equal(new RecoveryPhase("store", 1.5, 2, "half") { HasFailed = true }, before[0].Phases[0]);
    }

    private static Task<long> BeginAsync(TemporaryLedger house, long at) =>
        house.Store.WriteAsync(t => RecoveryStartsTable.Begin(t, at), Cancel);

    private static Task FinishAsync(TemporaryLedger house, long id) =>
        house.Store.WriteAsync(
            t =>
            {
                using Statement select = t.Prepare("SELECT started_at FROM recovery_starts WHERE id = ?1").Bind(1, id);
                _ = select.Step();
                RecoveryStartsTable.Finish(
                    t,
                    id,
                    100,
                    new RecoveryReport
                    {
                        IsComplete = true,
                        StartedAt = select.Int64(0),
                        Milliseconds = 1,
                        Queued = 7,
                        Version = "9.9",
                        Counts = new Dictionary<string, int> { ["lost"] = 3 },
                        Phases = [new RecoveryPhase("store", 1.5, 2, "half") { HasFailed = true }],
                        Attempts = [new RecoveredAttempt("a", "e", null, "lost", "why")],
                    }
                );
            },
            Cancel
        );
}
