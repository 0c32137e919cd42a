using Holdfast.Engine;
using Holdfast.Engine.Access;
using Holdfast.Engine.Callbacks;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Jobs;
using Holdfast.Engine.Recovery.Orphans;
using Holdfast.Engine.Retention;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Microsoft.Extensions.Logging.Abstractions;

namespace Holdfast.Tests.Executions;

/// <summary>Somebody sets the clock by ten years, either way: the order of things, their keys and what lives take no notice.</summary>
public sealed class ClockJumpTests : IAsyncDisposable
{
    private static readonly TimeSpan TenYears = TimeSpan.FromDays(3650);

    private readonly TemporaryLedger _house = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<TimeSpan> Jumps => [TenYears, -TenYears];

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    [Theory]
    [MemberData(nameof(Jumps))]
    public async Task The_queue_and_the_lines_of_locks_keep_their_order(TimeSpan jump)
    {
        string holder = await SubmitAsync("holder", "the lock");
        string first = await SubmitAsync("first", "the lock");
        string free = await SubmitAsync("free");
        _house.Clock.Jump(jump);
        string second = await SubmitAsync("second", "the lock");
        string later = await SubmitAsync("later");

        List<ClaimedJob> claimed = await _house.ClaimAsync(10);
        Assert.Equal([holder, free, later], claimed.Select(static c => c.Execution.Id.Value));
        await EndAsync(claimed[0]);
        ClaimedJob next = Assert.Single(await _house.ClaimAsync(10));
        Assert.Equal(first, next.Execution.Id.Value);
        _house.Clock.Jump(-2 * jump);
        await EndAsync(next);
        Assert.Equal(second, Assert.Single(await _house.ClaimAsync(10)).Execution.Id.Value);
    }

    [Theory]
    [MemberData(nameof(Jumps))]
    public async Task A_key_means_the_same_job_and_fences_only_grow(TimeSpan jump)
    {
        string id = await SubmitAsync("key");
        ClaimedJob before = Assert.Single(await _house.ClaimAsync(1));
        _house.Clock.Jump(jump);
        Assert.Equal(id, await SubmitAsync("key"));
        await SubmitAsync("other");
        Assert.True(Assert.Single(await _house.ClaimAsync(1)).Attempt.Fence > before.Attempt.Fence);
    }

    [Theory]
    [MemberData(nameof(Jumps))]
    public async Task What_waits_or_runs_is_deleted_by_no_jump_and_what_has_ended_by_none_back(TimeSpan jump)
    {
        string running = await SubmitAsync("running");
        ClaimedJob ended = (await _house.ClaimAsync(1))[0];
        await EndAsync(ended);
        string live = await SubmitAsync("live");
        await _house.ClaimAsync(1);
        string queued = await SubmitAsync("queued");
        _house.Clock.Jump(jump);

        var folders = new AttemptFolders(Path.Combine(_house.Directory, "attempts"), _house.Directory);
        var trash = new TrashFolder(Path.Combine(_house.Directory, "trash"), TimeSpan.FromDays(1), _house.Clock);
        using var apply = new ApplyRetention(_house.Store, folders, trash, new RetentionOptions(), _house.Clock, NullLogger.Instance);
        RetentionResult result = await apply.RunAsync(Cancel);

        // By hand: the server itself waits for a day before it believes such a clock.
        Assert.Equal(jump > TimeSpan.Zero ? 1 : 0, result.Executions);
        Assert.Equal(ExecutionState.Starting, _house.Find(new ExecutionId(live)).State);
        Assert.Equal(ExecutionState.Queued, _house.Find(new ExecutionId(queued)).State);
        Assert.Equal(jump < TimeSpan.Zero, _house.Store.Read(reader => ExecutionsTable.Find(reader, new ExecutionId(running))) is not null);
    }

    [Fact]
    public async Task A_token_that_a_clock_ahead_had_ended_is_good_again_when_the_clock_is_put_right()
    {
        using var ring = new TokenRing(_house.Store, _house.Clock);
        Actor.Current = new Actor("main", "main", "127.0.0.1");
        CreatedToken created = await new CreateToken(_house.Store, ring, _house.Clock).RunAsync(
            new NewToken("ci", AccessScopes.Read, TimeSpan.FromDays(30)),
            Bearer.Main,
            Cancel
        );
        Bearer before = ring.Find(created.Text)!;
        _house.Clock.Jump(TenYears);
        Assert.Null(ring.Find(created.Text));
        _house.Clock.Turn(TimeSpan.FromDays(1)); // The timer that looks for what has expired.
        Assert.True(before.Ended.IsCancellationRequested);
        _house.Clock.Jump(-TenYears);
        Assert.False(ring.Find(created.Text)!.Ended.IsCancellationRequested);
        _house.Clock.Jump(-TenYears);
        Assert.NotNull(ring.Find(created.Text));
    }

    private async Task<string> SubmitAsync(string key, params string[] locks) =>
        (
            await new SubmitJob(_house.Store, _house.Ledger, new CallbackCheck(new AddressGuard([])), _house.Meters, _house.Clock).RunAsync(
                new JobRequest { Argv = ["true"], Locks = locks },
                key,
                Cancel
            )
        )
            .Execution
            .Id
            .Value;

    private async Task EndAsync(ClaimedJob job)
    {
        await _house.AdvanceAsync(job, ExecutionCommand.ConfirmRunning);
        var outcome = new Outcome(
            ExecutionState.Succeeded,
            0,
            null,
            "exited",
            "It ended.",
            _house.Clock.GetUtcNow().ToUnixTimeMilliseconds() * 1000
        );
        await _house.Store.WriteAsync(t => _house.Ledger.Finish(t, job.Execution.Id, job.Attempt.Id, outcome), Cancel);
    }
}
