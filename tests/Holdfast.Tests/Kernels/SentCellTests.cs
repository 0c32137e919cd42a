using FsCheck;
using FsCheck.Fluent;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Attempts;
using Holdfast.Tests.Executions;
using Holdfast.Tests.Fakes;

namespace Holdfast.Tests.Kernels;

/// <summary>
/// Cells that clients send by themselves: their rows are made of the kernel's journal, however often and however far that is read.
/// </summary>
public sealed class SentCellTests : IAsyncDisposable
{
    private static readonly AttemptId Kernel = new("kernel");
    private static readonly KernelId Id = new("0b9d1c58-5a5c-4d0e-9c3f-6f1f2b7f3a10");

    private readonly TemporaryLedger _house = new();
    private CellTracker _tracker;
    private readonly List<string> _interrupted = [];

    public SentCellTests() => _tracker = NewTracker();

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    [Fact]
    public async Task A_short_cell_is_one_write_with_all_that_is_known_of_it()
    {
        Take(
            KernelMessages.Sent("m1", 10, """{"code":"print(\"é\")","silent":false}""", """{"cellId":"abc"}"""),
            KernelMessages.Status("m1", "busy", 11),
            KernelMessages.Stream("m1", "hi", 12),
            KernelMessages.Reply("m1", 13),
            KernelMessages.Status("m1", "idle", 14)
        );
        await SaveAsync();

        Execution cell = Find("m1");
        Assert.Equal(
            (ExecutionState.Succeeded, ExecutionKind.Cell, "abc", Id.Value, "a client", "user"),
            (cell.State, cell.Kind, cell.CellId, cell.KernelId, cell.ClientSession, cell.ClientUsername)
        );
        Assert.Equal(
            (10L, 11L, 13L, 10L, 15L, 2L, 0),
            (cell.CreatedAt, cell.StartedAt, cell.FinishedAt, cell.StartPosition, cell.EndPosition, cell.OutputBytes, cell.ExitCode)
        );
        Assert.Equal("""{"code":"print(\"é\")"}""", _house.Store.Read(reader => ExecutionsTable.ReadRequest(reader, cell.Id)));
        Assert.Equal(["succeeded"], _house.History(cell.Id));
        Assert.False(_tracker.HasChanged);
    }

    [Fact]
    public async Task A_long_cell_is_seen_to_wait_to_run_and_to_end()
    {
        Take(KernelMessages.Sent("m1", 10));
        await SaveAsync();
        Take(KernelMessages.Status("m1", "busy", 11));
        await SaveAsync();
        Take(KernelMessages.Error("m1", 13), KernelMessages.Status("m1", "idle", 14));
        Assert.True(await SaveAsync());

        Assert.Equal(["queued", "running", "failed"], _house.History(Find("m1").Id));
        Assert.Equal("ValueError: no", Find("m1").Reason);
    }

    [Fact]
    public async Task What_the_kernel_dropped_is_cancelled_and_never_ran()
    {
        Take(
            KernelMessages.Sent("m1", 1),
            KernelMessages.Status("m1", "busy", 2),
            KernelMessages.Reply("m1", 3, """{"status":"aborted"}"""),
            KernelMessages.Status("m1", "idle", 4)
        );
        await SaveAsync();
        Assert.Equal((ExecutionState.Cancelled, "aborted", null), (Find("m1").State, Find("m1").Cause, Find("m1").StartedAt));
    }

    [Fact]
    public async Task What_R_drops_has_neither_busy_nor_idle_and_what_it_was_interrupted_in_has_failed()
    {
        Take(
            KernelMessages.Sent("m1", 1),
            KernelMessages.Sent("m2", 2),
            KernelMessages.Status("m1", "busy", 3),
            KernelMessages.Reply("m1", 4, """{"status":"abort"}"""),
            KernelMessages.Reply("m2", 5, """{"status":"aborted"}"""),
            KernelMessages.Status("m1", "idle", 6)
        );
        await SaveAsync();
        Assert.Equal((ExecutionState.Failed, "error", "Interrupted"), (Find("m1").State, Find("m1").Cause, Find("m1").Reason));
        Assert.Equal((ExecutionState.Cancelled, "aborted", null), (Find("m2").State, Find("m2").Cause, Find("m2").StartedAt));
    }

    [Fact]
    public async Task A_silent_request_is_no_execution()
    {
        Take(
            KernelMessages.Sent("m1", 1, """{"code":"1","silent":true}"""),
            KernelMessages.Reply("m1", 2),
            KernelMessages.Status("m1", "idle", 3)
        );
        await SaveAsync();
        Assert.Equal(0, _house.Feed.LastPosition);
    }

    [Theory]
    [InlineData(true, ExecutionState.Cancelled)]
    [InlineData(false, ExecutionState.Lost)]
    public async Task When_the_kernel_ends_what_ran_is_lost_and_what_waited_in_it_never_ran_if_that_is_known(
        bool isKnown,
        ExecutionState waited
    )
    {
        Take(KernelMessages.Sent("ran", 1), KernelMessages.Status("ran", "busy", 2), KernelMessages.Sent("waited", 3));
        await SaveAsync();
        Assert.Empty(_tracker.End(isKnown, "Killed by signal 9.", 7, 6));
        await SaveAsync();
        Assert.Equal((ExecutionState.Lost, waited), (Find("ran").State, Find("waited").State));
    }

    /// <summary>It may be what ended the kernel, which then had no time to say that it was busy.</summary>
    [Fact]
    public async Task Of_what_a_kernel_was_given_and_had_not_begun_the_first_may_have_run()
    {
        Take(KernelMessages.Sent("given", 1), KernelMessages.Sent("behind", 2));
        await SaveAsync();
        Assert.Empty(_tracker.End(isKnown: true, "It exited with code 3.", 7, 6));
        await SaveAsync();
        Assert.Equal((ExecutionState.Lost, ExecutionState.Cancelled), (Find("given").State, Find("behind").State));
        Assert.Contains("cannot be known. It exited with code 3.", Find("given").Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancel_that_may_not_have_been_heard_is_passed_on_again_after_a_crash()
    {
        Take(KernelMessages.Sent("m1", 1), KernelMessages.Status("m1", "busy", 2));
        await SaveAsync();
        await _house.CommandAsync(Find("m1").Id, ExecutionCommand.Cancel);
        _tracker = NewTracker();
        Take(KernelMessages.Sent("m1", 1), KernelMessages.Status("m1", "busy", 2));
        await SaveAsync();
        await _house.Store.WriteAsync(static _ => { }, TemporaryLedger.Cancel);
        SpinWait.SpinUntil(() => _interrupted.Count > 0, TimeSpan.FromSeconds(10)); // Effects run after the commit, on their own thread.
        Assert.Equal(["m1"], _interrupted);

        Take(KernelMessages.Error("m1", 3, "KeyboardInterrupt"), KernelMessages.Status("m1", "idle", 4));
        await SaveAsync();
        Assert.Equal(ExecutionState.Cancelled, Find("m1").State);
    }

    /// <summary>
    /// Goal: a crash at any moment changes nothing. Method: the messages of three cells, shuffled into each other; the journal is read with
    /// saves at random places, and after random ones of them from the beginning again by a new tracker; the rows are those of one
    /// undisturbed reading, and each has the id it got first.
    /// </summary>
    [Fact]
    public void Crashes_between_reading_and_storing_change_no_row_and_no_id()
    {
        Gen<(int Who, int Event)[]> histories = Gen.Choose(0, 2)
            .SelectMany(static who => Gen.Choose(0, 9).Select(e => (who, e)))
            .ArrayOf(14);
        Prop.ForAll(
                histories.ToArbitrary(),
                history =>
                {
                    string[] names = [.. Enumerable.Range(0, 3).Select(static i => Guid.NewGuid().ToString("N") + i)];
                    int[] next = new int[3];
                    var journal = new List<KernelMessage>();
                    var ids = new Dictionary<string, ExecutionId>();
                    _tracker = NewTracker();
                    for (int i = 0; i < history.Length; i++)
                    {
                        (int who, int happening) = history[i];
                        if (next[who] < 5)
                        {
                            journal.Add(Said(names[who], next[who]++, i));
                            Take(journal[^1]);
                        }

                        if (happening < 4)
                        {
                            Save();
                            foreach (string name in names.Where(n => FindOrNull(n) is not null))
                            {
                                Assert.Equal(
                                    ids.TryGetValue(name, out ExecutionId known) ? known : ids[name] = Find(name).Id,
                                    Find(name).Id
                                );
                            }
                        }

                        if (happening is 0 or 9)
                        {
                            _tracker = NewTracker();
                            journal.ForEach(m => Take(m));
                        }
                    }

                    Save();
                    for (int who = 0; who < 3; who++)
                    {
                        ExecutionState? expected = next[who] switch
                        {
                            0 => null,
                            1 => ExecutionState.Queued,
                            5 => ExecutionState.Succeeded,
                            _ => ExecutionState.Running,
                        };
                        Assert.Equal(expected, FindOrNull(names[who])?.State);
                        Assert.True(next[who] < 5 || Find(names[who]).OutputBytes == 1);
                    }

                    return true;
                }
            )
            .Check(Config.QuickThrowOnFailure.WithMaxTest(60));

        static KernelMessage Said(string id, int step, long at) =>
            step switch
            {
                0 => KernelMessages.Sent(id, at),
                1 => KernelMessages.Status(id, "busy", at),
                2 => KernelMessages.Stream(id, "x", at),
                3 => KernelMessages.Reply(id, at),
                _ => KernelMessages.Status(id, "idle", at),
            };
    }

    private CellTracker NewTracker() => new(_house.Ledger, Id, Kernel, _house.Time) { CancelledCellStarted = _interrupted.Add };

    private void Take(params KernelMessage[] messages)
    {
        foreach (KernelMessage message in messages)
        {
            Assert.Null(_tracker.Take(message));
        }
    }

    private async Task<bool> SaveAsync()
    {
        List<SentCellSave> saves = _tracker.TakeChanged(out bool hasOutcome);
        await _house.Store.WriteAsync(transaction => saves.ForEach(s => s.Run(transaction)), TemporaryLedger.Cancel);
        saves.ForEach(static s => s.Done());
        return hasOutcome;
    }

#pragma warning disable VSTHRD002 // A property is not async.
    private void Save() => SaveAsync().GetAwaiter().GetResult();
#pragma warning restore VSTHRD002

    private Execution Find(string messageId) => FindOrNull(messageId)!;

    private Execution? FindOrNull(string messageId) => _house.Store.Read(reader => ExecutionsTable.FindSent(reader, Kernel, messageId));
}
