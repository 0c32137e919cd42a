using System.Diagnostics.CodeAnalysis;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// Follows the executions of one kernel incarnation through its journal and says what each record changes:
/// 1. its request stands in the journal: it was sent. A run's cell has its row and runs; a client's has none yet, waits in the kernel, and
/// runs when the kernel says busy for it;
/// 2. its execute_reply and its idle have both come, in either order: its outcome;
/// 3. it was skipped: it never ran; 4. the journal ends: what ran has failed with the kernel, or is lost with its supervisor, what was not
/// sent never ran. State is kept per message, never as "the last status", since messages of several requests interleave. All of it follows
/// from the journal, so reading that again gives the same. A client's silent request is not an execution: it asks the kernel something
/// behind its user's back, and leaves nothing.
/// </summary>
internal sealed class CellTracker(ExecutionLedger ledger, KernelId kernel, AttemptId attempt, TimeProvider time)
{
    private readonly Dictionary<string, Cell> _sent = [];
    private readonly HashSet<string> _handedOver = []; // Accepted by the supervisor, or about to be; not yet in the journal.
    private readonly Dictionary<string, ExecutionId> _known = [];
    private bool _isEnding; // The kernel has been asked to end.
    private List<Cell> _changed = []; // Clients' cells of which more is known than was stored.
    private readonly List<Cell> _begun = []; // Runs' cells whose begin was not yet given to be stored.

    /// <summary>One request on its way. Of a client's, what its row is made of.</summary>
    internal sealed class Cell
    {
        public required long StartPosition { get; init; }
        public required long StartedAt { get; init; }
        public SentCell? Sent { get; set; }
        public bool IsStored { get; set; }

        /// <summary>Its end was read before its begin was given to be stored, and stores both.</summary>
        public bool IsOverAtOnce { get; set; }
        public bool IsChanged { get; set; }
        public bool IsIdle { get; set; }
        public Outcome? Reply { get; set; }
        public long OutputBytes { get; set; }
        public string? Note { get; set; }
    }

    /// <summary>
    /// A cell that somebody cancelled runs all the same: it, by its message id, has to be interrupted. Raised after the commit that says it
    /// runs.
    /// </summary>
    public Action<string>? CancelledCellStarted { get; init; }

    /// <summary>Clients' cells are known that are not stored as far.</summary>
    public bool HasChanged => _changed.Count > 0;

    /// <summary>Where the oldest request stands that is not over.</summary>
    public long OldestPosition
    {
        get
        {
            long oldest = long.MaxValue;
            foreach (Cell cell in _sent.Values)
            {
                oldest = Math.Min(oldest, cell.StartPosition);
            }

            return oldest;
        }
    }

    /// <summary>An execution that is given to this kernel: its id is the message id of its execute_request.</summary>
    public void HandOver(ExecutionId id) => _handedOver.Add(id.Value);

    /// <summary>A client's cell that an earlier reading of this journal has stored.</summary>
    public void Know(string messageId, ExecutionId id) => _known[messageId] = id;

    /// <summary>The execution whose request has this message id, while it is not over.</summary>
    public ExecutionId? ExecutionOf(string messageId) =>
        _sent.TryGetValue(messageId, out Cell? cell) ? cell.Sent?.Id ?? new ExecutionId(messageId) : null;

    /// <summary>
    /// The changes that one message makes to a run's cell, to be run in a transaction, in order; what it makes of a client's is had by
    /// <see cref="TakeChanged"/>.
    /// </summary>
    public Action<StoreTransaction>? Take(in KernelMessage record)
    {
        JupyterMessage message = record.Message;
        if (record.Channel == JournalChannel.ShellRequest)
        {
            return message.MessageType == "execute_request" ? Sent(message, record) : null;
        }

        if (!_sent.TryGetValue(message.ParentMessageId, out Cell? cell))
        {
            return null;
        }

        string id = message.ParentMessageId;
        switch (record.Channel)
        {
            case JournalChannel.IoPub when message.MessageType == "status":
                string? status = message.ExecutionState;
                cell.IsIdle |= status == "idle";
                if (status == "busy")
                {
                    Started(cell, UnixTime.FromNanoseconds(record.UnixNanoseconds));
                }

                break;
            case JournalChannel.IoPub:
                cell.OutputBytes += record.IsPartial ? record.SaidBytes : CellOutputText.CountBytes(message);
                break;
            case JournalChannel.Shell when message.MessageType == "execute_reply":
                cell.Reply = CellOutcome.Of(message, UnixTime.FromNanoseconds(record.UnixNanoseconds));
                if (
                    _isEnding
                    && cell.Reply is { Cause: "error", Reason: { } error } interrupted
                    && (error == CellOutcome.Interrupted || error.StartsWith("KeyboardInterrupt", StringComparison.Ordinal))
                )
                {
                    // So a kernel is brought to hear that it is to end.
                    cell.Reply = interrupted with
                    {
                        State = ExecutionState.Lost,
                        ExitCode = null,
                        Cause = "kernelDied",
                        Reason = "The kernel was ended while the cell ran, which was interrupted for it.",
                    };
                }

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
                if (journalEvent.Upstream is { } upstream)
                {
                    return transaction =>
                        ledger.BlockCell(
                            transaction,
                            new ExecutionId(id),
                            attempt,
                            new ExecutionId(upstream),
                            atMicroseconds,
                            nextPosition
                        );
                }

                return Finish(
                    id,
                    new Outcome(
                        ExecutionState.Cancelled,
                        null,
                        null,
                        "skipped",
                        journalEvent.Reason ?? "It was taken out of the kernel's queue.",
                        atMicroseconds
                    ),
                    nextPosition
                );
            case AttemptEvent.Stop:
                _isEnding = true;
                return null;
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
        // A kernel that dies at once may not get to say that it has begun. So of those that it had been given the first may have run,
        // unless it was at another's code.
        Cell? first = _sent.Values.MinBy(static c => c.StartPosition);
        Cell? unheard = _sent.Values.All(static c => c.Sent is { StartedAt: null }) ? first : null;
        foreach ((string id, Cell cell) in _sent.ToArray())
        {
            Outcome outcome =
                !isKnown ? new Outcome(ExecutionState.Lost, null, null, "lost", reason, at)
                : cell == unheard
                    ? new Outcome(
                        ExecutionState.Lost,
                        null,
                        null,
                        "kernelDied",
                        $"The kernel ended when it had just been given the cell: whether it began cannot be known. {reason}",
                        at
                    )
                : cell.Sent is { StartedAt: null } ? NotStarted(reason, at)
                : new Outcome(ExecutionState.Lost, null, null, "kernelDied", $"The kernel ended while the cell ran. {reason}", at);
            if (Finish(id, outcome, position) is { } change)
            {
                yield return change;
            }
        }

        foreach (string id in _handedOver.ToArray())
        {
            if (Finish(id, NotStarted(reason, at), position) is { } change)
            {
                yield return change;
            }
        }
    }

    /// <summary>
    /// What is to be stored of clients' cells, as they are now; given once for each change. An outcome among it may be stored only when the
    /// journal is synced. All changes that were given before go with it.
    /// </summary>
    public List<SentCellSave> TakeChanged(out bool hasOutcome)
    {
        _begun.Clear();
        hasOutcome = false;
        var saves = new List<SentCellSave>(_changed.Count);
        foreach (Cell cell in _changed)
        {
            hasOutcome |= cell.Sent!.Outcome is not null;
            cell.IsChanged = false;
            saves.Add(new SentCellSave(ledger, cell, CancelledCellStarted));
        }

        _changed = [];
        return saves;
    }

    private static Outcome NotStarted(string reason, long at) =>
        new(ExecutionState.Cancelled, null, null, "skipped", $"It was not started: the kernel ended first. {reason}", at);

    private Action<StoreTransaction>? Sent(JupyterMessage request, in KernelMessage record)
    {
        string id = request.MessageId;
        long at = UnixTime.FromNanoseconds(record.UnixNanoseconds);
        long position = record.Position;
        if (JupyterJson.IsText(request.HeaderJson.Span, "session"u8, _ownSession))
        {
            if (!Ulid.IsWellFormed(id))
            {
                return null; // The supervisor's own.
            }

            _handedOver.Remove(id);
            var begun = new Cell { StartPosition = position, StartedAt = at };
            _sent[id] = begun;
            _begun.Add(begun);
            return transaction =>
            {
                if (
                    !begun.IsOverAtOnce
                    && ledger.StartCell(transaction, new ExecutionId(id), attempt, at, position) is { IsCancelRequested: true }
                )
                {
                    // It was sent before the cancel could take it out of the queue.
                    transaction.OnCommitted(() => CancelledCellStarted?.Invoke(id));
                }
            };
        }

        if (id.Length > 0 && !_sent.ContainsKey(id) && SentRequest.TryRead(request, out SentRequest? sent))
        {
            var cell = new Cell { StartPosition = position, StartedAt = at };
            cell.Sent = new SentCell
            {
                Id = _known.TryGetValue(id, out ExecutionId known) ? known : new ExecutionId(Ulid.New(time)),
                AttemptId = attempt,
                KernelId = kernel.Value,
                MessageId = id,
                Request = sent.Json,
                CellId = sent.CellId,
                ClientSession = sent.Session,
                ClientUsername = sent.Username,
                CreatedAt = at,
                StartPosition = position,
            };
            _sent[id] = cell;
            Changed(cell);
        }

        return null;
    }

    private readonly byte[] _ownSession = System.Text.Encoding.UTF8.GetBytes(attempt.Value);

    private void Started(Cell cell, long at)
    {
        if (cell.Sent is { StartedAt: null } sent)
        {
            cell.Sent = sent with { StartedAt = at };
            Changed(cell);
        }
    }

    private void Changed(Cell cell)
    {
        if (!cell.IsChanged)
        {
            cell.IsChanged = true;
            _changed.Add(cell);
        }
    }

    /// <summary>A client's cell that the kernel dropped may have no idle: R says nothing but aborted of it.</summary>
    private Action<StoreTransaction>? TryFinish(string id, Cell cell, long nextPosition) =>
        cell is { Reply: { } outcome } && (cell.IsIdle || (cell.Sent is not null && outcome.Cause == "aborted"))
            ? Finish(id, cell.Note is null ? outcome : outcome with { Reason = $"{outcome.Reason} {cell.Note}".Trim() }, nextPosition)
            : null;

    private Action<StoreTransaction>? Finish(string id, Outcome outcome, long endPosition)
    {
        _sent.Remove(id, out Cell? cell);
        _handedOver.Remove(id);
        Outcome counted = outcome with { OutputBytes = cell?.OutputBytes ?? 0 };
        if (cell?.Sent is not { } sent)
        {
            CellStart? start = null;
            if (cell is not null && _begun.Remove(cell))
            {
                // As most of small ones: one write, and one event.
                cell.IsOverAtOnce = true;
                start = new CellStart(cell.StartedAt, cell.StartPosition);
            }

            return transaction => ledger.FinishCell(transaction, new ExecutionId(id), attempt, counted, endPosition, start);
        }

        // ipykernel says busy also for what it drops: that never ran. What was not heard to begin and did end has begun with its request.
        long? startedAt =
            outcome.Cause == "aborted" && !cell.IsStored ? null
            : outcome.State == ExecutionState.Cancelled ? sent.StartedAt
            : sent.StartedAt ?? cell.StartedAt;
        cell.Sent = sent with { StartedAt = startedAt, Outcome = counted, EndPosition = endPosition };
        Changed(cell);
        return null;
    }
}
