using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Jupyter;
using Holdfast.Supervisor.Attempts;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Kernels;

/// <summary>Told that nothing more is waited for of a request.</summary>
internal delegate void RequestGivenUpCallback(ReadOnlySpan<byte> messageId);

/// <summary>
/// Sends the queue's requests to the kernel one by one, each when the one before has both its reply and its idle. A reply whose idle does
/// not come leaves a gap event behind, and the queue goes on. Whatever of the queue is never sent has a skipped event. The order is
/// <see cref="ExecuteQueue"/>'s.
/// </summary>
internal sealed class ExecuteDispatcher
{
    /// <summary>After a reply, how long IOPub may stay silent about its request before the idle is given up.</summary>
    public const int IdleGraceMs = 5000;

    private readonly ExecuteQueue _queue = new();
    private readonly KernelOutbox _outbox;
    private readonly AttemptJournal _journal;
    private readonly LoopTimer _idleGrace;
    private readonly RequestGivenUpCallback _givenUp;
    private bool _isReady;
    private bool _isClosed;

    /// <param name="givenUp">The idle of a request was waited for long enough.</param>
    public ExecuteDispatcher(PollLoop loop, KernelOutbox outbox, AttemptJournal journal, RequestGivenUpCallback givenUp)
    {
        (_outbox, _journal, _givenUp) = (outbox, journal, givenUp);
        _idleGrace = loop.AddTimer(GiveUpIdle);
    }

    public int WaitingCount => _queue.WaitingCount;

    /// <summary>A request has both its reply and its idle, or was given up; what follows it is on its way already.</summary>
    public LoopCallback? OutcomeReached { get; set; }

    /// <summary>The request that was sent and is not over; null for none.</summary>
    public byte[]? CurrentId => _queue.Current?.MessageIdUtf8;

    public bool IsCurrent(ReadOnlySpan<byte> messageId) => _queue.IsCurrent(messageId);

    /// <summary>The kernel is ready: sends from here on.</summary>
    public void Open()
    {
        _isReady = true;
        SendNext();
    }

    /// <summary>Sends nothing more, ready or not.</summary>
    public void Close() => _isClosed = true;

    /// <summary>Waits for nobody any more.</summary>
    public void Stop() => _idleGrace.Stop();

    public void Remove() => _idleGrace.Remove();

    public ExecuteAnswer Offer(QueuedExecute request, long position)
    {
        ExecuteAnswer answer = _queue.Offer(request, position);
        if (answer == ExecuteAnswer.Skipped)
        {
            RecordSkipped(request, "An earlier request of its group failed.");
        }
        else if (answer == ExecuteAnswer.Queued)
        {
            SendNext();
        }

        return answer;
    }

    /// <summary>Takes requests out of the queue by id or group.</summary>
    /// <param name="isFinal">One that has not come yet is not to be taken when it comes.</param>
    public void Dequeue(string? messageId, string? group, bool isFinal)
    {
        if (isFinal && messageId is not null && _queue.Forbid(messageId))
        {
            _journal.Record(
                new AttemptEvent
                {
                    Event = AttemptEvent.Skipped,
                    MessageId = messageId,
                    Reason = "It was taken back before it came.",
                }
            );
        }

        foreach (QueuedExecute request in _queue.Remove(messageId, group))
        {
            RecordSkipped(request, "It was taken out of the queue.");
        }
    }

    /// <summary>Says of all that waits that it never reached the kernel, which is worth knowing: it can be run elsewhere.</summary>
    public void SkipAll(string reason)
    {
        foreach (QueuedExecute request in _queue.RemoveAll())
        {
            RecordSkipped(request, reason);
        }
    }

    /// <summary>The kernel is being interrupted. That ends the cascade whose request it is at.</summary>
    public void NoteInterrupt()
    {
        foreach (QueuedExecute dropped in _queue.NoteInterrupt(_journal.Position))
        {
            RecordSkipped(dropped, "The cascade was interrupted.");
        }
    }

    /// <summary>The current request has said something on IOPub.</summary>
    public void NoteOutput()
    {
        if (_queue.HasReply && !_queue.HasIdle)
        {
            _idleGrace.Start(IdleGraceMs);
        }
    }

    /// <summary>The current request has its idle.</summary>
    public void NoteIdle()
    {
        _queue.NoteIdle();
        CheckFinished();
    }

    /// <summary>The current request has its reply.</summary>
    public void NoteReply(bool isError)
    {
        foreach (QueuedExecute dropped in _queue.NoteReply(isError, _journal.Position))
        {
            RecordSkipped(dropped, "An earlier request of its group failed.");
        }

        if (!_queue.HasIdle)
        {
            _idleGrace.Start(IdleGraceMs);
        }

        CheckFinished();
    }

    private void SendNext()
    {
        if (!_isReady || _isClosed)
        {
            return;
        }

        while (_queue.TakeBlocked(out string? upstream) is { } blocked)
        {
            _journal.Record(
                new AttemptEvent
                {
                    Event = AttemptEvent.Skipped,
                    MessageId = blocked.MessageId,
                    Upstream = upstream,
                    Reason = "A request that it needs did not end well.",
                }
            );
        }

        if (_queue.TakeNext() is { } next)
        {
            _outbox.Send(KernelChannel.Shell, next.Body);
        }
    }

    private void CheckFinished()
    {
        if (_queue.IsCurrentFinished)
        {
            _idleGrace.Stop();
            _queue.Finish();

            // Before the outcome is synced, so that the kernel works meanwhile.
            SendNext();
            OutcomeReached?.Invoke();
        }
    }

    private void GiveUpIdle()
    {
        if (_queue.Current is not { } request || !_queue.HasReply || _queue.HasIdle)
        {
            return;
        }

        _journal.Record(
            new AttemptEvent
            {
                Event = AttemptEvent.Gap,
                Channel = "iopub",
                MessageId = request.MessageId,
                Reason = "The kernel replied, but its idle status did not come: output of this request may be missing.",
            }
        );
        _givenUp(request.MessageIdUtf8);
        _queue.GiveUpIdle();
        CheckFinished();
    }

    private void RecordSkipped(QueuedExecute request, string reason) =>
        _journal.Record(
            new AttemptEvent
            {
                Event = AttemptEvent.Skipped,
                MessageId = request.MessageId,
                Reason = reason,
            }
        );
}
