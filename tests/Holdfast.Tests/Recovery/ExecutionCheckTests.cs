using Holdfast.Engine.Executions;
using Holdfast.Engine.Recovery;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;
using Holdfast.Tests.Executions;

namespace Holdfast.Tests.Recovery;

/// <summary>What start-up does when executions and attempts do not say the same, as after a restore from a copy.</summary>
public sealed class ExecutionCheckTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_sound_store_is_left_as_it_is()
    {
        await using var house = new TemporaryLedger();
        await house.AddAsync();
        await house.AddAsync();
        await house.ClaimAsync(1);
        int events = house.Feed.ReadAfter(0, null, 100).Count;

        ExecutionCheck.Findings findings = await CheckAsync(house);

        Assert.Equal((2, 0, 0), (findings.Checked, findings.Problems.Count, findings.Strays.Count));
        Assert.Equal(events, house.Feed.ReadAfter(0, null, 100).Count);
    }

    [Fact]
    public async Task An_execution_that_is_said_to_run_without_an_open_attempt_is_lost_with_a_reason()
    {
        await using var house = new TemporaryLedger();
        Execution execution = await house.AddAsync();
        await house.ClaimAsync(1);
        await ChangeAsync(house, "UPDATE attempts SET ended_at = 1");

        ExecutionCheck.Findings findings = await CheckAsync(house);

        Assert.Empty(findings.Problems);
        Execution lost = house.Find(execution.Id);
        Assert.Equal((ExecutionState.Lost, true), (lost.State, lost.Reason!.Contains("cannot be known", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_attempt_that_nothing_refers_to_is_closed_unless_its_supervisor_lives()
    {
        await using var house = new TemporaryLedger();
        await house.AddAsync();
        await house.AddAsync();
        List<ClaimedJob> claimed = await house.ClaimAsync(2);
        await ChangeAsync(house, "UPDATE executions SET state = 'cancelled', finished_at = 1");
        var files = new AttemptFiles(Path.Combine(house.Directory, "attempts", claimed[0].Attempt.Id.Value));
        Directory.CreateDirectory(files.Directory);
        using (FileLock.TryAcquire(files.Lock))
        {
            ExecutionCheck.Findings findings = await CheckAsync(house);

            Assert.Equal(2, findings.Strays.Count);
            Assert.Contains(claimed[0].Attempt.Id.Value, Assert.Single(findings.Problems), StringComparison.Ordinal);
        }

        Assert.Equal([claimed[0].Attempt.Id], house.OpenAttempts().Select(static a => a.Id));
        await CheckAsync(house);
        Assert.Empty(house.OpenAttempts());
    }

    [Fact]
    public async Task One_row_that_cannot_be_mended_is_named_and_the_others_are_mended()
    {
        await using var house = new TemporaryLedger();
        Execution damaged = await house.AddAsync();
        Execution other = await house.AddAsync();
        await house.ClaimAsync(2);
        await ChangeAsync(house, "UPDATE attempts SET ended_at = 1");
        await ChangeAsync(house, $"UPDATE executions SET attempt_id = NULL WHERE id = '{damaged.Id.Value}'");

        ExecutionCheck.Findings findings = await CheckAsync(house);

        Assert.Contains(damaged.Id.Value, Assert.Single(findings.Problems), StringComparison.Ordinal);
        Assert.Equal(ExecutionState.Lost, house.Find(other.Id).State);
    }

    [Fact]
    public async Task Labels_that_were_damaged_keep_nobody_from_reading_the_rest()
    {
        await using var house = new TemporaryLedger();
        Execution execution = await house.AddAsync();
        await ChangeAsync(house, "UPDATE executions SET labels = '{\"torn'");

        Assert.Empty(house.Find(execution.Id).Labels);
        Assert.Single(await house.ClaimAsync(1));
    }

    private static Task<ExecutionCheck.Findings> CheckAsync(TemporaryLedger house) =>
        new ExecutionCheck(
            house.Store,
            house.Ledger,
            new AttemptFolders(Path.Combine(house.Directory, "attempts"), house.Directory),
            house.Time
        ).RunAsync(house.OpenAttempts(), Cancel);

    private static Task ChangeAsync(TemporaryLedger house, string sql) =>
        house.Store.WriteAsync(
            transaction =>
            {
                using Statement change = transaction.Prepare(sql);
                change.Execute();
            },
            Cancel
        );
}
