using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Attempts;
using Holdfast.Tests.Executions;
using Holdfast.Tests.Fakes;

namespace Holdfast.Tests.Kernels;

public sealed class CellTrackerTests : IAsyncDisposable
{
    private static readonly AttemptId Kernel = new("kernel");
    private static readonly KernelId Id = new("0b9d1c58-5a5c-4d0e-9c3f-6f1f2b7f3a10");

    private readonly TemporaryLedger _house = new();
    private readonly CellTracker _tracker;

    public CellTrackerTests() => _tracker = new CellTracker(_house.Ledger, Id, Kernel, _house.Time);

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_cell_ends_with_its_reply_and_its_idle_in_either_order(bool replyFirst)
    {
        string cell = await HandOverAsync();
        await TakeAsync(
            KernelMessages.Request(cell, 10),
            KernelMessages.Status(cell, "busy", 11),
            KernelMessages.Stream(cell, "héllo", 12)
        );
        Assert.Equal((ExecutionState.Running, 10L, 0L), State(cell));

        await TakeAsync(replyFirst ? KernelMessages.Reply(cell, 13) : KernelMessages.Status(cell, "idle", 13));
        Assert.Equal((ExecutionState.Running, 10L, 0L), State(cell));
        await TakeAsync(replyFirst ? KernelMessages.Status(cell, "idle", 14) : KernelMessages.Reply(cell, 14));

        Assert.Equal((ExecutionState.Succeeded, 10L, 15L), State(cell));
        Execution ended = Find(cell);
        Assert.Equal((6L, 10L, 0), (ended.OutputBytes, ended.StartedAt, ended.ExitCode));
        Assert.Equal(["queued", "running", "succeeded"], _house.History(ended.Id));
    }

    [Fact]
    public async Task A_cell_that_is_over_before_its_begin_was_stored_is_one_change_with_both()
    {
        string cell = await HandOverAsync();
        Action<StoreTransaction>?[] changes = TakeAll(
            KernelMessages.Request(cell, 10),
            KernelMessages.Status(cell, "busy", 11),
            KernelMessages.Reply(cell, 12),
            KernelMessages.Status(cell, "idle", 13)
        );
        await ApplyAsync(changes);

        Assert.Equal((ExecutionState.Succeeded, 10L, 14L), State(cell));
        Assert.Equal((10L, 1), (Find(cell).StartedAt, Find(cell).Attempt));
        Assert.Equal(["queued", "succeeded"], _house.History(new ExecutionId(cell)));

        await ApplyAsync(changes);
        Assert.Equal(["queued", "succeeded"], _house.History(new ExecutionId(cell)));
    }

    [Fact]
    public async Task A_cell_whose_begin_is_on_its_way_to_the_store_has_two()
    {
        string cell = await HandOverAsync();
        Action<StoreTransaction>?[] begin = TakeAll(KernelMessages.Request(cell, 10));
        Assert.Empty(_tracker.TakeChanged(out _));
        Action<StoreTransaction>?[] end = TakeAll(KernelMessages.Reply(cell, 12), KernelMessages.Status(cell, "idle", 13));
        await ApplyAsync([.. begin, .. end]);

        Assert.Equal((ExecutionState.Succeeded, 10L, 14L), State(cell));
        Assert.Equal(["queued", "running", "succeeded"], _house.History(new ExecutionId(cell)));
    }

    [Fact]
    public async Task An_error_fails_its_cell_with_its_name_and_an_abort_cancels()
    {
        string failed = await HandOverAsync();
        string aborted = await HandOverAsync();
        await TakeAsync(KernelMessages.Request(failed, 1), KernelMessages.Error(failed, 2), KernelMessages.Status(failed, "idle", 3));
        await TakeAsync(
            KernelMessages.Request(aborted, 4),
            KernelMessages.Reply(aborted, 5, """{"status":"aborted"}"""),
            KernelMessages.Status(aborted, "idle", 6)
        );

        Assert.Equal((ExecutionState.Failed, "ValueError: no"), (Find(failed).State, Find(failed).Reason));
        Assert.Equal((ExecutionState.Cancelled, "aborted"), (Find(aborted).State, Find(aborted).Cause));
    }

    [Fact]
    public async Task An_interrupt_that_was_asked_for_is_a_cancel()
    {
        string cell = await HandOverAsync();
        await TakeAsync(KernelMessages.Request(cell, 1));
        await _house.CommandAsync(new ExecutionId(cell), ExecutionCommand.Cancel);
        await TakeAsync(KernelMessages.Error(cell, 2, "KeyboardInterrupt"), KernelMessages.Status(cell, "idle", 3));
        Assert.Equal(ExecutionState.Cancelled, Find(cell).State);
    }

    [Fact]
    public async Task A_request_that_was_taken_out_of_the_queue_never_ran()
    {
        string cell = await HandOverAsync();
        await ApplyAsync(
            _tracker.Take(
                new AttemptEvent
                {
                    Event = AttemptEvent.Skipped,
                    MessageId = cell,
                    Reason = "An earlier cell failed.",
                },
                9,
                8
            )
        );

        Execution ended = Find(cell);
        Assert.Equal(
            (ExecutionState.Cancelled, "skipped", "An earlier cell failed.", null),
            (ended.State, ended.Cause, ended.Reason, ended.StartedAt)
        );
        Assert.Empty(_tracker.End(true, "It exited.", 10, 10));
    }

    [Fact]
    public async Task A_gap_stands_for_the_idle_that_was_lost_and_is_told()
    {
        string cell = await HandOverAsync();
        await TakeAsync(KernelMessages.Request(cell, 1), KernelMessages.Reply(cell, 2));
        await ApplyAsync(
            _tracker.Take(
                new AttemptEvent
                {
                    Event = AttemptEvent.Gap,
                    MessageId = cell,
                    Reason = "Output may be missing.",
                },
                4,
                3
            )
        );
        Assert.Equal((ExecutionState.Succeeded, "Output may be missing."), (Find(cell).State, Find(cell).Reason));

        Assert.Null(_tracker.Take(new AttemptEvent { Event = AttemptEvent.Gap, MessageId = "unknown" }, 5, 5));
    }

    [Fact]
    public async Task What_is_interrupted_for_the_kernels_end_has_ended_with_the_kernel()
    {
        string cell = await HandOverAsync();
        await TakeAsync(KernelMessages.Request(cell, 1));
        Assert.Null(_tracker.Take(new AttemptEvent { Event = AttemptEvent.Stop, Cause = "cancelled" }, 2, 2));
        await TakeAsync(
            KernelMessages.Reply(cell, 3, """{"status":"error","ename":"KeyboardInterrupt","evalue":""}"""),
            KernelMessages.Status(cell, "idle", 4)
        );

        Assert.Equal((ExecutionState.Lost, "kernelDied"), (Find(cell).State, Find(cell).Cause));
    }

    [Theory]
    [InlineData(true, "kernelDied")]
    [InlineData(false, "lost")]
    public async Task When_the_kernel_ends_what_ran_is_lost_and_what_waited_never_ran(bool isKnown, string cause)
    {
        string done = await HandOverAsync();
        string running = await HandOverAsync();
        string waiting = await HandOverAsync();
        await TakeAsync(
            KernelMessages.Request(done, 1),
            KernelMessages.Reply(done, 2),
            KernelMessages.Status(done, "idle", 3),
            KernelMessages.Request(running, 4)
        );
        await ApplyAsync([.. _tracker.End(isKnown, "Killed by signal 9.", 7, 6)]);

        Assert.Equal(ExecutionState.Succeeded, Find(done).State);
        Assert.Equal((ExecutionState.Lost, cause), (Find(running).State, Find(running).Cause));
        Assert.Contains("signal 9", Find(running).Reason!, StringComparison.Ordinal);
        Assert.Equal((ExecutionState.Cancelled, "skipped"), (Find(waiting).State, Find(waiting).Cause));
        Assert.Empty(_tracker.End(isKnown, "", 8, 8));
    }

    /// <summary>Every way in which the messages of two requests can be shuffled into each other, each request's own order kept.</summary>
    [Fact]
    public async Task Messages_of_two_requests_may_interleave_in_any_way()
    {
        foreach (int[] order in Shuffles(4, 4))
        {
            string a = await HandOverAsync();
            string b = await HandOverAsync();
            KernelMessage[][] said = [Said(a, 0), Said(b, 100)];
            int[] next = [0, 0];
            foreach (int who in order)
            {
                await TakeAsync(said[who][next[who]++]);
            }

            Assert.Equal((ExecutionState.Succeeded, ExecutionState.Failed), (Find(a).State, Find(b).State));
            Assert.Equal((1L, 4L), (Find(a).OutputBytes, Find(b).OutputBytes));
            Assert.Equal(["queued", "running", "failed"], _house.History(new ExecutionId(b)));
        }

        static KernelMessage[] Said(string id, long at) =>
            at == 0
                ?
                [
                    KernelMessages.Request(id, 1),
                    KernelMessages.Stream(id, "a", 2),
                    KernelMessages.Reply(id, 3),
                    KernelMessages.Status(id, "idle", 4),
                ]
                :
                [
                    KernelMessages.Request(id, 101),
                    KernelMessages.Status(id, "idle", 102),
                    KernelMessages.Stream(id, "late", 103),
                    KernelMessages.Error(id, 104),
                ];
    }

    [Fact]
    public async Task The_same_journal_read_again_changes_nothing()
    {
        string[] cells = [await HandOverAsync(), await HandOverAsync(), await HandOverAsync()];
        KernelMessage[] journal =
        [
            KernelMessages.Request(cells[0], 1),
            KernelMessages.Stream(cells[0], "x", 2),
            KernelMessages.Reply(cells[0], 3),
            KernelMessages.Status(cells[0], "idle", 4),
            KernelMessages.Request(cells[1], 5),
            KernelMessages.Error(cells[1], 6),
            KernelMessages.Status(cells[1], "idle", 7),
            KernelMessages.Request(cells[2], 8),
            KernelMessages.Stream(cells[2], "y", 9),
        ];
        await TakeAsync(journal);
        Execution[] before = [.. cells.Select(Find)];
        long position = _house.Feed.LastPosition;

        var again = new CellTracker(_house.Ledger, Id, Kernel, _house.Time);
        again.HandOver(new ExecutionId(cells[2]));
        foreach (KernelMessage message in journal)
        {
            await ApplyAsync(again.Take(message));
        }

        Assert.Equal(before.Select(Essence), cells.Select(Find).Select(Essence));
        Assert.Equal(position, _house.Feed.LastPosition);
        await ApplyAsync(again.Take(KernelMessages.Reply(cells[2], 10)), again.Take(KernelMessages.Status(cells[2], "idle", 11)));
        Assert.Equal((ExecutionState.Succeeded, 1L), (Find(cells[2]).State, Find(cells[2]).OutputBytes));
    }

    [Fact]
    public async Task Messages_of_requests_that_are_not_executions_change_nothing()
    {
        await HandOverAsync();
        Assert.Null(_tracker.Take(KernelMessages.Status("somebody else", "idle", 1)));
        Assert.Null(_tracker.Take(KernelMessages.Of(Protocol.Journal.JournalChannel.ShellRequest, "complete_request", "c", "", "{}", 2)));
        await TakeAsync(
            KernelMessages.Request("not ours", 3),
            KernelMessages.Reply("not ours", 4),
            KernelMessages.Status("not ours", "idle", 5)
        );
        Assert.Equal(1, _house.Feed.LastPosition);
    }

    private static (ExecutionState, long, long, long?, string?) Essence(Execution e) =>
        (e.State, e.StartPosition, e.EndPosition, e.OutputBytes, e.Reason);

    private static IEnumerable<int[]> Shuffles(int first, int second) =>
        from bits in Enumerable.Range(0, 1 << (first + second))
        where int.PopCount(bits) == second
        select Enumerable.Range(0, first + second).Select(i => (bits >> i) & 1).ToArray();

    private async Task<string> HandOverAsync()
    {
        Execution cell = await _house.AddAsync(ExecutionKind.Cell, Kernel);
        _tracker.HandOver(cell.Id);
        return cell.Id.Value;
    }

    private async Task TakeAsync(params KernelMessage[] messages)
    {
        foreach (KernelMessage message in messages)
        {
            await ApplyAsync(_tracker.Take(message));
        }
    }

    private Action<StoreTransaction>?[] TakeAll(params KernelMessage[] messages) =>
        Array.ConvertAll(messages, message => _tracker.Take(message));

    private Task ApplyAsync(params Action<StoreTransaction>?[] changes) =>
        Array.TrueForAll(changes, static c => c is null)
            ? Task.CompletedTask
            : _house.Store.WriteAsync(
                transaction =>
                {
                    foreach (Action<StoreTransaction>? change in changes)
                    {
                        change?.Invoke(transaction);
                    }
                },
                TemporaryLedger.Cancel
            );

    private Execution Find(string id) => _house.Find(new ExecutionId(id));

    private (ExecutionState, long, long) State(string id) => (Find(id).State, Find(id).StartPosition, Find(id).EndPosition);
}
