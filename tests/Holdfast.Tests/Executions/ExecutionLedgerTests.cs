using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Tests.Store;

namespace Holdfast.Tests.Executions;

public sealed class ExecutionLedgerTests : IAsyncDisposable
{
    private readonly TemporaryLedger _house = new();

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    [Fact]
    public async Task Every_change_has_its_event_with_the_state_it_made_true()
    {
        Execution added = await _house.AddAsync();
        ClaimedJob job = Assert.Single(await _house.ClaimAsync(5));
        await _house.AdvanceAsync(job, ExecutionCommand.ConfirmRunning);
        await _house.AdvanceAsync(job, ExecutionCommand.ConfirmPaused);
        await _house.AdvanceAsync(job, ExecutionCommand.ConfirmResumed);
        await _house.FinishAsync(job, ExecutionState.Failed, 3);

        Assert.Equal(["queued", "starting", "running", "paused", "running", "failed"], _house.History(added.Id));
        FeedEvent last = _house.Feed.ReadAfter(0, added.Id.Value, 100)[^1];
        using JsonDocument body = JsonDocument.Parse(last.Body);
        Assert.Equal(
            ("failed", 3, 1, "job", "It ended."),
            (
                body.RootElement.GetProperty("state").GetString(),
                body.RootElement.GetProperty("exitCode").GetInt32(),
                body.RootElement.GetProperty("attempt").GetInt32(),
                body.RootElement.GetProperty("kind").GetString(),
                body.RootElement.GetProperty("reason").GetString()
            )
        );
    }

    [Fact]
    public async Task A_change_that_throws_leaves_neither_row_nor_event()
    {
        Execution kept = await _house.AddAsync();
        ExecutionId gone = default;
        await Assert.ThrowsAsync<InvalidDataException>(() =>
            _house.Store.WriteAsync(
                transaction =>
                {
                    gone = _house.Ledger.Add(transaction, _house.Draft(), "{}").Id;
                    _house.Ledger.Command(transaction, kept.Id, ExecutionCommand.Cancel);
                    throw new InvalidDataException();
                },
                TemporaryLedger.Cancel
            )
        );
        await _house.AddAsync();

        Assert.Null(_house.Store.Read(reader => ExecutionsTable.Find(reader, gone)));
        Assert.Equal(ExecutionState.Queued, _house.Find(kept.Id).State);
        Assert.Equal(["queued"], _house.History(kept.Id));
        Assert.DoesNotContain(_house.Feed.ReadAfter(0, null, 100), e => e.Subject == gone.Value);
        Assert.DoesNotContain(_house.Published, e => e.Subject == gone.Value);
    }

    [Fact]
    public async Task Jobs_are_claimed_first_in_first_out_each_once_with_growing_fences()
    {
        var added = new List<ExecutionId>();
        for (int i = 0; i < 7; i++)
        {
            added.Add((await _house.AddAsync()).Id);
        }

        await _house.AddAsync(ExecutionKind.Cell, new AttemptId("kernel"));
        List<ClaimedJob> first = await _house.ClaimAsync(3);
        List<ClaimedJob>[] rest = await Task.WhenAll(_house.ClaimAsync(3), _house.ClaimAsync(3));

        ClaimedJob[] all = [.. first, .. rest[0], .. rest[1]];
        Assert.Equal(added, all.Select(static j => j.Execution.Id));
        Assert.Equal(all.Select(static j => j.Attempt.Fence).Order(), all.Select(static j => j.Attempt.Fence));
        Assert.Equal(7, all.Select(static j => j.Attempt.Nonce).Distinct().Count());
        Assert.Equal(7, _house.OpenAttempts().Count);
        Assert.Empty(await _house.ClaimAsync(3));
    }

    [Fact]
    public async Task News_of_an_attempt_that_is_no_longer_the_current_one_changes_nothing()
    {
        Execution added = await _house.AddAsync();
        ClaimedJob old = Assert.Single(await _house.ClaimAsync(1));
        await _house.AdvanceAsync(old, ExecutionCommand.Unclaim);
        ClaimedJob current = Assert.Single(await _house.ClaimAsync(1));
        Execution before = _house.Find(added.Id);

        Assert.Null(await _house.AdvanceAsync(old, ExecutionCommand.ConfirmRunning));
        Assert.Null(await _house.AdvanceAsync(old, ExecutionCommand.Unclaim));
        Assert.Null(await _house.FinishAsync(old, ExecutionState.Succeeded, 0));

        Assert.True(current.Attempt.Fence > old.Attempt.Fence);
        Assert.Equal((before.State, before.AttemptId, 2), (_house.Find(added.Id).State, _house.Find(added.Id).AttemptId, before.Attempt));
        Assert.Equal(["queued", "starting", "queued", "starting"], _house.History(added.Id));
        Assert.Equal(current.Attempt.Id, Assert.Single(_house.OpenAttempts()).Id);
    }

    [Fact]
    public async Task The_same_news_twice_is_news_once()
    {
        Execution added = await _house.AddAsync();
        ClaimedJob job = Assert.Single(await _house.ClaimAsync(1));

        Assert.NotNull(await _house.AdvanceAsync(job, ExecutionCommand.ConfirmRunning));
        Assert.Null(await _house.AdvanceAsync(job, ExecutionCommand.ConfirmRunning));
        Assert.NotNull(await _house.FinishAsync(job, ExecutionState.Succeeded, 0));
        Assert.Null(await _house.FinishAsync(job, ExecutionState.Lost));

        Assert.Equal(["queued", "starting", "running", "succeeded"], _house.History(added.Id));
        Execution ended = _house.Find(added.Id);
        Assert.Equal((ExecutionState.Succeeded, 0, 7L, 5L), (ended.State, ended.ExitCode, ended.OutputBytes, ended.FinishedAt));
        Assert.Empty(_house.OpenAttempts());
    }

    [Fact]
    public async Task A_queued_job_is_cancelled_at_once_and_never_claimed()
    {
        Execution added = await _house.AddAsync();

        Execution cancelled = await _house.CommandAsync(added.Id, ExecutionCommand.Cancel);

        Assert.Equal((ExecutionState.Cancelled, "cancelled"), (cancelled.State, cancelled.Cause));
        Assert.NotNull(cancelled.FinishedAt);
        Assert.Empty(await _house.ClaimAsync(1));
    }

    [Fact]
    public async Task A_cancel_of_a_running_job_is_kept_until_its_outcome_which_decides()
    {
        Execution added = await _house.AddAsync();
        ClaimedJob job = Assert.Single(await _house.ClaimAsync(1));
        await _house.AdvanceAsync(job, ExecutionCommand.ConfirmRunning);

        Execution wished = await _house.CommandAsync(added.Id, ExecutionCommand.Cancel);
        Assert.Equal((ExecutionState.Running, true), (wished.State, wished.IsCancelRequested));
        Assert.True(_house.Find(added.Id).IsCancelRequested);
        await _house.CommandAsync(added.Id, ExecutionCommand.Cancel); // Again is no change, and no event.

        await _house.FinishAsync(job, ExecutionState.Succeeded, 0);
        Assert.Equal(["queued", "starting", "running", "running", "succeeded"], _house.History(added.Id));
    }

    [Fact]
    public async Task A_cancelled_job_that_never_started_does_not_go_back_to_the_queue()
    {
        Execution added = await _house.AddAsync();
        ClaimedJob job = Assert.Single(await _house.ClaimAsync(1));
        await _house.CommandAsync(added.Id, ExecutionCommand.Cancel);

        Execution? ended = await _house.AdvanceAsync(job, ExecutionCommand.Unclaim);

        Assert.Equal(ExecutionState.Cancelled, ended!.State);
        Assert.Empty(_house.OpenAttempts());
        Assert.Empty(await _house.ClaimAsync(1));
    }

    [Fact]
    public async Task A_retry_is_a_new_attempt_that_knows_nothing_of_the_last_ones_outcome()
    {
        Execution added = await _house.AddAsync();
        ClaimedJob first = Assert.Single(await _house.ClaimAsync(1));
        await _house.AdvanceAsync(first, ExecutionCommand.ConfirmRunning);
        await _house.FinishAsync(first, ExecutionState.Failed, 3);

        Execution queued = await _house.CommandAsync(added.Id, ExecutionCommand.Retry);
        Assert.Equal((ExecutionState.Queued, null, null, null), (queued.State, queued.ExitCode, queued.FinishedAt, queued.OutputBytes));
        Assert.Equal((null, null, null), (queued.StartedAt, queued.Cause, queued.Reason));

        ClaimedJob second = Assert.Single(await _house.ClaimAsync(1));
        Assert.Equal(2, second.Execution.Attempt);
        Assert.True(second.Attempt.Fence > first.Attempt.Fence);
        Assert.Null(await _house.FinishAsync(first, ExecutionState.Succeeded, 0));
    }

    [Fact]
    public async Task A_refused_wish_says_the_state_and_what_it_allows()
    {
        Execution added = await _house.AddAsync();
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => _house.CommandAsync(added.Id, ExecutionCommand.Pause));
        Assert.Equal(ErrorCodes.IllegalTransition, refused.Code);
        Assert.Contains("queued", refused.Message, StringComparison.Ordinal);
        Assert.Contains("it allows: cancel", refused.Message, StringComparison.Ordinal);

        refused = await Assert.ThrowsAsync<RefusedException>(() => _house.CommandAsync(new ExecutionId("none"), ExecutionCommand.Cancel));
        Assert.Equal(ErrorCodes.ExecutionNotFound, refused.Code);
    }

    [Fact]
    public async Task A_cell_in_its_kernels_queue_is_cancelled_by_the_journal_alone()
    {
        var kernel = new AttemptId("kernel");
        Execution cell = await _house.AddAsync(ExecutionKind.Cell, kernel);
        Assert.Equal(ExecutionState.Queued, (await _house.CommandAsync(cell.Id, ExecutionCommand.Cancel)).State);

        var outcome = new Outcome(ExecutionState.Cancelled, null, null, "skipped", "Taken out.", 9);
        Assert.Null(await FinishCellAsync(cell.Id, new AttemptId("another"), outcome));
        Execution? ended = await FinishCellAsync(cell.Id, kernel, outcome);

        Assert.Equal((ExecutionState.Cancelled, "skipped"), (ended!.State, ended.Cause));
        Assert.Null(await FinishCellAsync(cell.Id, kernel, outcome));
    }

    [Fact]
    public async Task An_error_of_a_cell_that_was_asked_to_stop_is_a_cancel_and_a_success_stays_one()
    {
        var kernel = new AttemptId("kernel");
        var error = new Outcome(ExecutionState.Failed, 1, null, "error", "KeyboardInterrupt", 9);
        Execution interrupted = await RunningCellAsync(kernel);
        await _house.CommandAsync(interrupted.Id, ExecutionCommand.Cancel);
        Execution quicker = await RunningCellAsync(kernel);
        await _house.CommandAsync(quicker.Id, ExecutionCommand.Cancel);
        Execution failed = await RunningCellAsync(kernel);

        Assert.Equal(ExecutionState.Cancelled, (await FinishCellAsync(interrupted.Id, kernel, error))!.State);
        Assert.Equal(
            ExecutionState.Succeeded,
            (await FinishCellAsync(quicker.Id, kernel, error with { State = ExecutionState.Succeeded, Cause = "ok" }))!.State
        );
        Execution? ended = await FinishCellAsync(failed.Id, kernel, error);
        Assert.Equal((ExecutionState.Failed, 44L), (ended!.State, ended.EndPosition));
    }

    [Fact]
    public async Task Everything_a_row_holds_is_read_back()
    {
        var kernel = new AttemptId("kernel");
        Execution draft = _house.Draft(ExecutionKind.Cell, kernel) with
        {
            Name = "name",
            Labels = new Dictionary<string, string> { ["a"] = "1", ["b \"quoted\""] = "" },
            RunId = "run",
            CellId = "c",
            CellIndex = 4,
        };
        Execution added = await _house.Store.WriteAsync(transaction => _house.Ledger.Add(transaction, draft, "{}"), TemporaryLedger.Cancel);
        Execution found = _house.Find(added.Id);

        using JsonDocument body = JsonDocument.Parse(Assert.Single(_house.Feed.ReadAfter(0, added.Id.Value, 9)).Body);
        Assert.Equal(("run", 4), (body.RootElement.GetProperty("runId").GetString(), body.RootElement.GetProperty("cellIndex").GetInt32()));
        Assert.Equal(added.Labels, found.Labels);
        Assert.Equal(added with { Labels = found.Labels }, found);
        Assert.Equal(
            [found.Id],
            _house
                .Store.Read(reader => ExecutionsTable.Page(reader, new ExecutionFilter { LabelName = "b \"quoted\"", LabelValue = "" }))
                .Select(static e => e.Execution.Id)
        );
        Assert.Empty(_house.Store.Read(reader => ExecutionsTable.Page(reader, new ExecutionFilter { LabelName = "a", LabelValue = "2" })));
    }

    [Fact]
    public async Task Changes_of_many_executions_in_one_batch_are_each_whole()
    {
        Execution[] added = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => _house.AddAsync()));
        await using (var gate = new WriterGate(_house.Store))
        {
            Task<Execution>[] cancels = [.. added.Select(e => _house.CommandAsync(e.Id, ExecutionCommand.Cancel))];
            Task<RefusedException> refused = Assert.ThrowsAsync<RefusedException>(() =>
                _house.CommandAsync(added[0].Id, ExecutionCommand.Resume)
            );
            await gate.OpenAsync();
            await Task.WhenAll(cancels);
            await refused;
        }

        Assert.All(added, e => Assert.Equal(["queued", "cancelled"], _house.History(e.Id)));
    }

    private async Task<Execution> RunningCellAsync(AttemptId kernel)
    {
        Execution cell = await _house.AddAsync(ExecutionKind.Cell, kernel);
        return (
            await _house.Store.WriteAsync(
                transaction => _house.Ledger.StartCell(transaction, cell.Id, kernel, 1, 33),
                TemporaryLedger.Cancel
            )
        )!;
    }

    private Task<Execution?> FinishCellAsync(ExecutionId id, AttemptId kernel, Outcome outcome) =>
        _house.Store.WriteAsync(transaction => _house.Ledger.FinishCell(transaction, id, kernel, outcome, 44), TemporaryLedger.Cancel);
}
