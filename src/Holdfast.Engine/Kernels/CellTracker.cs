using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// Follows the executions of one kernel incarnation through its journal and says what each record changes:
/// 1. its request stands in the journal: it was sent, and runs; 2. its execute_reply and its idle have both come, in either order: its outcome;
/// 3. it was skipped: it never ran; 4. the journal ends: what ran has failed with the kernel, or is lost with its supervisor, what was not sent never ran.
/// State is kept per message, never as "the last status", since messages of several requests interleave. All of it follows from the journal, so reading that again gives the same.
/// </summary>
internal sealed class CellTracker(ExecutionLedger ledger, AttemptId attempt)
{
    private readonly Dictionary<string, Cell> _sent = [];
    private readonly HashSet<string> _handedOver = []; // Accepted by the supervisor, or about to be; not yet in the journal.

    private sealed class Cell
    {
        public required long StartPosition { get; init; }
        public required long StartedAt { get; init; }
        public bool IsIdle;
        public Outcome? Reply;
        public long OutputBytes;
        public string? Note;
    }

    /// <summary>A cell that somebody cancelled runs all the same: it has to be interrupted. Raised after the commit that says it runs.</summary>
    public Action? CancelledCellStarted { get; init; }

    /// <summary>An execution that is given to this kernel: its id is the message id of its execute_request.</summary>
    public void HandOver(ExecutionId id) => _handedOver.Add(id.Value);

    /// <summary>The execution whose request has this message id, while it runs here.</summary>
    public ExecutionId? ExecutionOf(string messageId) => _sent.ContainsKey(messageId) ? new ExecutionId(messageId) : null;

    /// <summary>The changes that one message makes; each to be run in a transaction, in order.</summary>
    public Action<StoreTransaction>? Take(in KernelMessage record)
    {
        JupyterMessage message = record.Message;
        if (record.Channel == JournalChannel.ShellRequest)
        {
            return message.MessageType == "execute_request" ? Sent(message.MessageId, record) : null;
        }

        if (!_sent.TryGetValue(message.ParentMessageId, out Cell? cell))
        {
            return null;
        }

        string id = message.ParentMessageId;
        switch (record.Channel)
        {
            case JournalChannel.IoPub:
                cell.OutputBytes += CellOutputText.CountBytes(message);
                cell.IsIdle |= message.MessageType == "status" && message.ExecutionState == "idle";
                break;
            case JournalChannel.Shell when message.MessageType == "execute_reply":
                cell.Reply = CellOutcome.Of(message, UnixTime.FromNanoseconds(record.UnixNanoseconds));
                break;
        }

        return TryFinish(id, cell, record.NextPosition);
    }

    /// <summary>The changes that one event makes.</summary>
    public Action<StoreTransaction>? Take(AttemptEvent journalEvent, long nextPosition, long atMicroseconds)
    {
        switch (journalEvent.Event)
        {
            case AttemptEvent.Skipped when journalEvent.MessageId is { } id:
                _handedOver.Remove(id);
                return Finish(id, new Outcome(ExecutionState.Cancelled, null, null, "skipped", journalEvent.Reason ?? "It was taken out of the kernel's queue.", atMicroseconds), nextPosition);
            case AttemptEvent.Gap when journalEvent.MessageId is { } id && _sent.TryGetValue(id, out Cell? cell):
                cell.IsIdle = true;
                cell.Note = journalEvent.Reason;
                return TryFinish(id, cell, nextPosition);
            default:
                return null;
        }
    }

    /// <summary>Nothing more will come from this incarnation.</summary>
    public IEnumerable<Action<StoreTransaction>> End(bool isKnown, string reason, long position, long at)
    {
        foreach (string id in _sent.Keys.ToArray())
        {
            yield return Finish(id, isKnown
                ? new Outcome(ExecutionState.Failed, null, null, "kernelDied", $"The kernel ended while the cell ran. {reason}", at)
                : new Outcome(ExecutionState.Lost, null, null, "lost", reason, at), position);
        }

        foreach (string id in _handedOver.ToArray())
        {
            yield return Finish(id, new Outcome(ExecutionState.Cancelled, null, null, "skipped", $"It was not started: the kernel ended first. {reason}", at), position);
        }
    }

    private Action<StoreTransaction> Sent(string id, in KernelMessage record)
    {
        _handedOver.Remove(id);
        long startedAt = UnixTime.FromNanoseconds(record.UnixNanoseconds);
        long position = record.Position;
        _sent[id] = new Cell { StartPosition = position, StartedAt = startedAt };
        return transaction =>
        {
            if (ledger.StartCell(transaction, new ExecutionId(id), attempt, startedAt, position) is { IsCancelRequested: true })
            {
                // It was sent before the cancel could take it out of the queue.
                transaction.OnCommitted(() => CancelledCellStarted?.Invoke());
            }
        };
    }

    private Action<StoreTransaction>? TryFinish(string id, Cell cell, long nextPosition) => cell is { IsIdle: true, Reply: { } outcome }
        ? Finish(id, cell.Note is null ? outcome : outcome with { Reason = $"{outcome.Reason} {cell.Note}".Trim() }, nextPosition)
        : null;

    private Action<StoreTransaction> Finish(string id, Outcome outcome, long endPosition)
    {
        _sent.Remove(id, out Cell? cell);
        _handedOver.Remove(id);
        Outcome counted = outcome with { OutputBytes = cell?.OutputBytes ?? 0 };
        return transaction => ledger.FinishCell(transaction, new ExecutionId(id), attempt, counted, endPosition);
    }
}
