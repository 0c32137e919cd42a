// One indivisible thing: every transition of an execution. Apart, each would have to know what the others leave behind.

using System.Security.Cryptography;
using Holdfast.Engine.Access;
using Holdfast.Engine.Callbacks;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Locks;
using Holdfast.Engine.Metrics;
using Holdfast.Engine.Retention;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Executions;

/// <summary>A job that was given a new attempt, with all that a supervisor needs to start it.</summary>
public sealed record ClaimedJob(Execution Execution, string Request, Attempt Attempt)
{
    /// <summary>The fence of the locks it holds; null when it asked for none.</summary>
    public long? LockFence { get; init; }
}

/// <summary>
/// The only writer of executions. Each change is one transition, stored together with everything that follows from it: the attempt's end,
/// the locks that become free and who gets them, what is to be told to whom, the feed's event.
/// </summary>
public sealed class ExecutionLedger(FeedLog feed, EngineMeters meters, string host, TimeProvider time)
{
    /// <summary>Why a cell was cancelled that a newer plan has taken the place of.</summary>
    public const string Superseded = "superseded";

    private readonly LockLedger _locks = new(feed, time);
    private readonly CallbackLedger _callbacks = new(feed, host, time);

    /// <summary>
    /// What else follows from a change of a cell, in the transaction that stores it; true when the change, whatever it came to, is the one
    /// by which it has begun. Set once, before anything is written.
    /// </summary>
    public Action<StoreTransaction, Execution, bool>? CellChanged { get; set; }

    /// <summary>
    /// Stores a new execution; what it is told of sequence and creation is filled in here. It waits when its locks are not free.
    /// </summary>
    public Execution Add(
        StoreTransaction transaction,
        Execution draft,
        string request,
        IReadOnlyList<string>? locks = null,
        CallbackOrder? callback = null
    )
    {
        Execution execution = draft with { CreatedAt = time.NowMicroseconds() };
        if (locks is { Count: > 0 } && !_locks.Enter(transaction, draft.Id, locks))
        {
            execution = execution with { State = ExecutionState.Waiting };
        }

        if (callback is not null)
        {
            _callbacks.Ask(transaction, CallbackSubject.Execution, draft.Id.Value, callback);
        }

        execution = execution with { Sequence = ExecutionsTable.Insert(transaction, execution, host, request) };
        Announce(transaction, execution);
        return execution;
    }

    /// <summary>The same, with a record of who wished it.</summary>
    public Execution Command(StoreTransaction transaction, ExecutionId id, ExecutionCommand command, string operation)
    {
        Execution commanded = Command(transaction, id, command);
        AuditTable.Record(transaction, time.NowMicroseconds(), operation, id.Value);
        return commanded;
    }

    /// <summary>A caller's wish. Refused, with what the state allows, when it may not be.</summary>
    public Execution Command(StoreTransaction transaction, ExecutionId id, ExecutionCommand command)
    {
        Execution execution = ExecutionsTable.Find(transaction, id) ?? throw ExecutionId.NotFound(id.Value);
        TransitionDecision decision = ExecutionTransitions.Apply(execution.Status, command);
        if (decision.Accepted is not { } status)
        {
            throw new RefusedException(
                ErrorCodes.IllegalTransition,
                $"{decision.Refusal} Now {ExecutionTransitions.Allowed(execution.Status)}."
            );
        }

        if (command == ExecutionCommand.Retry)
        {
            return Retry(transaction, execution, status);
        }

        return status == execution.Status ? execution : Save(transaction, Changed(execution, status, command));
    }

    /// <summary>At the end of the lines again: its locks were released when it ended.</summary>
    private Execution Retry(StoreTransaction transaction, Execution execution, ExecutionStatus status)
    {
        IReadOnlyList<string> locks = LockNames.Of(ExecutionsTable.ReadRequest(transaction, execution.Id));
        if (locks.Count > 0 && !_locks.Enter(transaction, execution.Id, locks))
        {
            status = ExecutionTransitions.Apply(status, ExecutionCommand.Wait).Accepted!.Value;
        }

        _callbacks.AskAgain(transaction, execution.Id.Value);
        return Save(transaction, Changed(WithoutOutcome(execution), status, ExecutionCommand.Retry));
    }

    /// <summary>Takes a lock from its holder by hand; null when nobody holds it.</summary>
    public ReleasedLock? ReleaseLock(StoreTransaction transaction, string name, string reason)
    {
        if (_locks.Release(transaction, name, reason) is not { } released)
        {
            return null;
        }

        Grant(transaction, released.Granted);
        return new ReleasedLock(name, released.Holder, released.Fence, reason);
    }

    /// <summary>
    /// Start-up found one in line that has ended, or is not known at all: it leaves, and those behind it may have their locks.
    /// </summary>
    public void LeaveLines(StoreTransaction transaction, ExecutionId ended) => Grant(transaction, _locks.Leave(transaction, ended));

    /// <summary>Start-up found one waiting that stands first in all of its lines; false when somebody stands before it after all.</summary>
    public bool GrantIfFirst(StoreTransaction transaction, long place, ExecutionId id)
    {
        if (!_locks.GrantIfFirst(transaction, place, id))
        {
            return false;
        }

        Grant(transaction, [id]);
        return true;
    }

    private void Grant(StoreTransaction transaction, List<ExecutionId> granted)
    {
        foreach (ExecutionId id in granted)
        {
            if (
                ExecutionsTable.Find(transaction, id) is { } waiting
                && ExecutionTransitions.Apply(waiting.Status, ExecutionCommand.Grant).Accepted is { } status
            )
            {
                Save(transaction, Changed(waiting, status, ExecutionCommand.Grant));
            }
        }
    }

    /// <summary>Gives the next queued jobs, first in first out, an attempt each.</summary>
    public List<ClaimedJob> ClaimJobs(StoreTransaction transaction, int limit)
    {
        var claimed = new List<ClaimedJob>(limit);
        foreach ((Execution queued, string request) in ExecutionsTable.QueuedJobs(transaction, limit))
        {
            claimed.Add(Claim(transaction, queued, request));
        }

        return claimed;
    }

    /// <summary>Gives a queued job an attempt.</summary>
    public ClaimedJob Claim(StoreTransaction transaction, Execution queued, string request)
    {
        ExecutionStatus status = ExecutionTransitions.Apply(queued.Status, ExecutionCommand.Claim).Accepted!.Value;
        Attempt attempt = NewAttempt(transaction, queued.Id, null);
        Execution execution = Save(
            transaction,
            WithoutOutcome(queued) with
            {
                State = status.State,
                Attempt = status.Attempt,
                AttemptId = attempt.Id,
            }
        );
        return new ClaimedJob(execution, request, attempt) { LockFence = LocksTable.PlaceOf(transaction, execution.Id) };
    }

    /// <summary>A fresh attempt row: durable before anything is started under it.</summary>
    public Attempt NewAttempt(StoreTransaction transaction, ExecutionId? executionId, string? kernelId) =>
        AttemptsTable.Insert(
            transaction,
            new AttemptId(Ulid.New(time)),
            host,
            Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)),
            time.NowMicroseconds(),
            executionId,
            kernelId
        );

    /// <summary>
    /// News from supervision about one attempt. Null when it is stale: the execution has a newer attempt, or the state no longer
    /// allows the move (the same news may arrive twice, from the link and from recovery).
    /// </summary>
    public Execution? Advance(
        StoreTransaction transaction,
        ExecutionId id,
        AttemptId attempt,
        ExecutionCommand command,
        Func<Execution, Execution>? amend = null
    )
    {
        if (
            ExecutionsTable.Find(transaction, id) is not { } execution
            || execution.AttemptId != attempt
            || ExecutionTransitions.Apply(execution.Status, command).Accepted is not { } status
        )
        {
            return null;
        }

        Execution changed = Changed(execution, status, command);
        if (command == ExecutionCommand.Unclaim)
        {
            AttemptsTable.End(transaction, attempt, "neverStarted", time.NowMicroseconds());
        }

        return Save(transaction, amend is null ? changed : amend(changed));
    }

    /// <summary>
    /// The outcome of an attempt. Null when stale, as above. A job's attempt ends with it; a kernel's goes on past its cells.
    /// </summary>
    public Execution? Finish(
        StoreTransaction transaction,
        ExecutionId id,
        AttemptId attempt,
        Outcome outcome,
        Func<Execution, Execution>? amend = null
    ) =>
        ExecutionsTable.Find(transaction, id) is { } execution && execution.AttemptId == attempt
            ? Finish(transaction, execution, outcome, amend)
            : null;

    private Execution? Finish(
        StoreTransaction transaction,
        Execution execution,
        Outcome outcome,
        Func<Execution, Execution>? amend,
        bool begins = false
    )
    {
        if (ExecutionTransitions.Apply(execution.Status, ExecutionCommand.Finish, outcome.State).Accepted is not { } status)
        {
            return null;
        }

        if (execution.Kind == ExecutionKind.Job)
        {
            AttemptsTable.End(transaction, execution.AttemptId!.Value, outcome.State.Name(), outcome.AtMicroseconds);
        }

        Execution finished = execution with
        {
            State = status.State,
            FinishedAt = outcome.AtMicroseconds,
            ExitCode = outcome.ExitCode,
            Signal = outcome.Signal,
            Cause = outcome.Cause,
            Reason = outcome.Reason,
            OutputBytes = outcome.OutputBytes,
        };
        return Save(transaction, amend is null ? finished : amend(finished), begins);
    }

    /// <summary>
    /// A cell's request stands in the journal of the kernel incarnation it was given to: it has an attempt now, and runs. Null when that is
    /// known already.
    /// </summary>
    public Execution? StartCell(StoreTransaction transaction, ExecutionId id, AttemptId kernelAttempt, long startedAt, long position) =>
        ExecutionsTable.Find(transaction, id) is { } queued
        && queued.AttemptId == kernelAttempt
        && CellRules.Begin(queued, new CellStart(startedAt, position)) is { } running
            ? Save(transaction, running, begins: true)
            : null;

    /// <summary>
    /// A cell that waits, or is blocked, is not wanted any more. It is over when its supervisor says that it was not sent. Null when it has
    /// begun or ended.
    /// </summary>
    public Execution? Withdraw(StoreTransaction transaction, ExecutionId id, string cause, string reason) =>
        ExecutionsTable.Find(transaction, id) is { State: ExecutionState.Queued or ExecutionState.Blocked } waiting
        && ExecutionTransitions.Apply(waiting.Status, ExecutionCommand.Cancel).Accepted is { } status
            ? Save(transaction, Changed(waiting, status, ExecutionCommand.Cancel) with { Cause = cause, Reason = reason })
            : null;

    /// <summary>
    /// A cell will not run, because one that it needs did not end well: that one, or whatever stood in its way. Null when that is known
    /// already.
    /// </summary>
    public Execution? BlockCell(
        StoreTransaction transaction,
        ExecutionId id,
        AttemptId kernelAttempt,
        ExecutionId upstream,
        long at,
        long position
    )
    {
        if (ExecutionsTable.Find(transaction, id) is not { } queued || queued.AttemptId != kernelAttempt)
        {
            return null;
        }

        Execution? needed = ExecutionsTable.Find(transaction, upstream);
        if (needed?.State == ExecutionState.Cancelled || queued.IsCancelRequested)
        {
            return FinishCell(transaction, id, kernelAttempt, CellRules.Skipped(needed, upstream, at), position);
        }

        Execution? root = needed?.BlockedBy is { } first ? ExecutionsTable.Find(transaction, first) ?? needed : needed;
        return CellRules.Block(queued, root, upstream, position) is { } blocked ? Save(transaction, blocked) : null;
    }

    /// <summary>
    /// A cell's outcome. One that never started is cancelled, whatever ended its kernel; one that was interrupted on request is cancelled
    /// too.
    /// </summary>
    /// <param name="start">How it began, when that is not stored: then both are one change, with one event.</param>
    public Execution? FinishCell(
        StoreTransaction transaction,
        ExecutionId id,
        AttemptId kernelAttempt,
        Outcome outcome,
        long endPosition,
        CellStart? start = null
    )
    {
        if (ExecutionsTable.Find(transaction, id) is not { } execution || execution.AttemptId != kernelAttempt)
        {
            return null;
        }

        Execution? begun = start is { } known ? CellRules.Begin(execution, known) : null;
        execution = begun ?? execution;
        return execution.State == ExecutionState.Queued && outcome.State == ExecutionState.Cancelled
            ? Save(transaction, CellRules.NeverSent(execution, outcome))
            : Finish(
                transaction,
                execution,
                CellRules.Counted(execution, outcome),
                e => e with { EndPosition = endPosition },
                begins: begun is not null
            );
    }

    /// <summary>
    /// A client's cell as far as its kernel's journal tells: one row in one write when it is new, however far it has come. Read again after
    /// a crash, the row that is there is brought as far; what it has already stays. Gives the row, whose id counts.
    /// </summary>
    public Execution SaveSent(StoreTransaction transaction, SentCell cell, bool isNew)
    {
        if (isNew && InsertSent(transaction, cell) is { } inserted)
        {
            return inserted;
        }

        Execution known = ExecutionsTable.FindSent(transaction, cell.AttemptId, cell.MessageId)!;
        if (cell.StartedAt is { } startedAt)
        {
            known = StartCell(transaction, known.Id, cell.AttemptId, startedAt, cell.StartPosition) ?? known;
        }

        return cell.Outcome is { } outcome ? FinishCell(transaction, known.Id, cell.AttemptId, outcome, cell.EndPosition) ?? known : known;
    }

    private Execution? InsertSent(StoreTransaction transaction, SentCell cell)
    {
        Execution draft = CellRules.Row(cell);
        if (ExecutionsTable.InsertSent(transaction, draft, host, cell.Request) is not { } sequence)
        {
            return null;
        }

        Execution execution = draft with { Sequence = sequence };
        Announce(transaction, execution);
        CellChanged?.Invoke(transaction, execution, execution.StartedAt is not null);
        return execution;
    }

    /// <summary>What the last attempt came to says nothing of one that waits or has begun.</summary>
    private static Execution WithoutOutcome(Execution execution) =>
        execution with
        {
            StartedAt = null,
            FinishedAt = null,
            ExitCode = null,
            Signal = null,
            Cause = null,
            Reason = null,
            OutputBytes = null,
        };

    private Execution Changed(Execution execution, ExecutionStatus status, ExecutionCommand command) =>
        execution with
        {
            State = status.State,
            Attempt = status.Attempt,
            IsCancelRequested = status.IsCancelRequested,
            BlockedBy = null,
            FinishedAt = status.State.IsTerminal() ? time.NowMicroseconds() : null,
            Cause = status.State == ExecutionState.Cancelled ? "cancelled" : null,
            Reason = status.State == ExecutionState.Cancelled ? "Cancelled before it was started." : null,
            AttemptId = command is ExecutionCommand.Unclaim ? null : execution.AttemptId,
        };

    private Execution Save(StoreTransaction transaction, Execution execution, bool begins = false)
    {
        ExecutionsTable.Update(transaction, execution);
        Announce(transaction, execution);
        if (execution.Kind == ExecutionKind.Cell)
        {
            CellChanged?.Invoke(transaction, execution, begins);
        }

        if (execution.Kind == ExecutionKind.Job && execution.State.IsTerminal())
        {
            _callbacks.Tell(
                transaction,
                execution.Id.Value,
                "execution." + execution.State.Name(),
                writer => CallbackBody.WriteExecution(writer, execution)
            );
            Grant(transaction, _locks.Leave(transaction, execution.Id));
        }

        return execution;
    }

    private void Announce(StoreTransaction transaction, Execution execution)
    {
        feed.Append(
            transaction,
            "execution." + execution.State.Name(),
            execution.Id.Value,
            writer => ExecutionEvent.Write(writer, execution)
        );
        if (execution.State.IsTerminal())
        {
            StatisticsTable.Add(
                transaction,
                ExecutionsTable.KindName(execution.Kind),
                execution.State.Name(),
                execution.FinishedAt - execution.StartedAt
            ); // Every end counts, also of one that is run again.
            transaction.OnCommitted(() => meters.Finished(execution.Kind, execution.State));
        }
    }
}
