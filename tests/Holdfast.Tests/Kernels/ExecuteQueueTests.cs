using Holdfast.Supervisor.Kernels;

namespace Holdfast.Tests.Kernels;

public class ExecuteQueueTests
{
    private readonly ExecuteQueue _queue = new();

    [Fact]
    public void One_request_at_a_time_is_taken_in_order()
    {
        Offer("a");
        Offer("b");

        Assert.Equal("a", _queue.TakeNext()!.MessageId);
        Assert.Null(_queue.TakeNext());
        FinishCurrent();
        Assert.Equal("b", _queue.TakeNext()!.MessageId);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_request_is_finished_by_reply_and_idle_in_either_order(bool replyFirst)
    {
        Offer("a");
        _queue.TakeNext();

        Note(replyFirst);
        Assert.False(_queue.IsCurrentFinished);
        Note(!replyFirst);

        Assert.True(_queue.IsCurrentFinished);

        void Note(bool isReply)
        {
            if (isReply)
            {
                _queue.NoteReply(isError: false, 1);
            }
            else
            {
                _queue.NoteIdle();
            }
        }
    }

    [Fact]
    public void A_message_id_is_accepted_once_even_after_it_is_finished()
    {
        Offer("a");
        _queue.TakeNext();
        FinishCurrent();

        Assert.Equal(ExecuteAnswer.Duplicate, Offer("a"));
        Assert.Null(_queue.TakeNext());
    }

    [Fact]
    public void An_error_empties_its_group_and_leaves_the_others()
    {
        Offer("a", "g", stopOnError: true);
        Offer("b", "g");
        Offer("c", "h");
        Offer("d");
        _queue.TakeNext();

        IReadOnlyList<QueuedExecute> dropped = _queue.NoteReply(isError: true, 100);

        Assert.Equal(["b"], dropped.Select(static r => r.MessageId));
        _queue.NoteIdle();
        _queue.Finish();
        Assert.Equal("c", _queue.TakeNext()!.MessageId);
    }

    [Fact]
    public void An_error_without_stop_on_error_drops_nothing()
    {
        Offer("a", "g");
        Offer("b", "g");
        _queue.TakeNext();

        Assert.Empty(_queue.NoteReply(isError: true, 100));
    }

    [Fact]
    public void A_failed_group_is_closed_to_requests_whose_sender_had_not_read_of_the_failure()
    {
        Offer("a", "g", stopOnError: true);
        _queue.TakeNext();
        _queue.NoteReply(isError: true, 100);

        Assert.Equal(ExecuteAnswer.Skipped, Offer("b", "g", position: 99));
        Assert.Equal(ExecuteAnswer.Skipped, Offer("c", "g"));
        Assert.Equal(ExecuteAnswer.Queued, Offer("d", "g", position: 100));
        Assert.Equal(ExecuteAnswer.Queued, Offer("e", "h"));
        Assert.Equal(ExecuteAnswer.Duplicate, Offer("b", "g", position: 100));
    }

    [Fact]
    public void What_waits_is_taken_out_by_id_or_by_group_and_what_is_at_the_kernel_stays()
    {
        Offer("a", "g");
        Offer("b", "g");
        Offer("c", "g");
        Offer("d");
        _queue.TakeNext();

        Assert.Equal(["d"], _queue.Remove("d", null).Select(static r => r.MessageId));
        Assert.Equal(["b", "c"], _queue.Remove(null, "g").Select(static r => r.MessageId));
        Assert.Equal("a", _queue.Current!.MessageId);
        Assert.Equal(0, _queue.WaitingCount);
    }

    [Fact]
    public void A_full_queue_refuses_and_does_not_remember_what_it_refused()
    {
        for (int i = 0; i < ExecuteQueue.RequestsMax; i++)
        {
            Offer("r" + i);
        }

        Assert.Equal(ExecuteAnswer.Full, Offer("last"));
        _queue.TakeNext();
        Assert.Equal(ExecuteAnswer.Queued, Offer("last"));
    }

    [Fact]
    public void A_failed_cell_of_a_cascade_stops_what_needs_it_however_far_and_nothing_else()
    {
        OfferAfter("a");
        OfferAfter("b", "a");
        OfferAfter("other");
        OfferAfter("c", "b");
        OfferAfter("d", "other");

        Assert.Equal("a", Next());
        Assert.Empty(_queue.NoteReply(isError: true, 100));
        FinishIdle();

        Assert.Equal("b<a, other, c<b, d", Drain());
    }

    [Fact]
    public void What_needs_a_cell_that_was_taken_out_is_skipped_in_its_turn()
    {
        OfferAfter("a");
        OfferAfter("b");
        OfferAfter("c", "a", "b");
        Assert.Equal("a", Next());
        _queue.Remove("b", null);
        FinishCurrent();

        Assert.Equal("c<b", Drain());
    }

    [Fact]
    public void What_comes_after_the_failure_of_what_it_needs_is_skipped_too()
    {
        OfferAfter("a");
        Next();
        _queue.NoteReply(isError: true, 100);
        FinishIdle();

        OfferAfter("b", "a");
        OfferAfter("c");

        Assert.Equal("b<a, c", Drain());
    }

    [Fact]
    public void A_cell_that_may_fail_stops_nothing()
    {
        _queue.Offer(new QueuedExecute("a", "g", false, new byte[10], []), 0);
        OfferAfter("b", "a");
        Next();
        _queue.NoteReply(isError: true, 100);
        FinishIdle();

        Assert.Equal("b", Drain());
    }

    [Fact]
    public void An_interrupt_ends_the_cascade_and_leaves_other_work()
    {
        OfferAfter("a");
        OfferAfter("b");
        Offer("run", "h");
        Next();

        Assert.Equal(["b"], _queue.NoteInterrupt(100).Select(static r => r.MessageId));
        Assert.Equal(ExecuteAnswer.Skipped, _queue.Offer(new QueuedExecute("late", "g", true, new byte[10], []), 99));
        FinishCurrent();
        Assert.Equal("run", Drain());
    }

    [Fact]
    public void An_interrupt_of_a_run_takes_nothing_out()
    {
        Offer("a", "g");
        Offer("b", "g");
        _queue.TakeNext();

        Assert.Empty(_queue.NoteInterrupt(100));
    }

    [Fact]
    public void What_is_forbidden_is_not_taken_when_it_comes()
    {
        Assert.True(_queue.Forbid("a"));
        Assert.False(_queue.Forbid("a"));
        Assert.Equal(ExecuteAnswer.Duplicate, Offer("a", "g"));
        OfferAfter("b", "a");

        Assert.Equal("b<a", Drain());
    }

    private void OfferAfter(string id, params string[] after) => _queue.Offer(new QueuedExecute(id, "g", true, new byte[10], after), 0);

    private string? Next() => _queue.TakeNext()?.MessageId;

    /// <summary>What the rest of the queue comes to: each id, with what it was skipped for.</summary>
    private string Drain()
    {
        var told = new List<string>();
        while (_queue.WaitingCount > 0)
        {
            if (_queue.TakeBlocked(out string? upstream) is { } blocked)
            {
                told.Add($"{blocked.MessageId}<{upstream}");
                continue;
            }

            told.Add(Next()!);
            FinishCurrent();
        }

        return string.Join(", ", told);
    }

    private void FinishIdle()
    {
        _queue.NoteIdle();
        _queue.Finish();
    }

    private ExecuteAnswer Offer(string id, string? group = null, bool stopOnError = false, long position = 0) =>
        _queue.Offer(new QueuedExecute(id, group, stopOnError, new byte[10]), position);

    private void FinishCurrent()
    {
        _queue.NoteReply(isError: false, 1);
        _queue.NoteIdle();
        _queue.Finish();
    }
}
