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

    private ExecuteAnswer Offer(string id, string? group = null, bool stopOnError = false, long position = 0) =>
        _queue.Offer(new QueuedExecute(id, group, stopOnError, new byte[10]), position);

    private void FinishCurrent()
    {
        _queue.NoteReply(isError: false, 1);
        _queue.NoteIdle();
        _queue.Finish();
    }
}
