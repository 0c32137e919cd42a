namespace Holdfast.Engine.Executions;

/// <summary>What a kernel's news means for a cell, beyond the moves of every execution. Pure: reads and stores nothing.</summary>
internal static class CellRules
{
    /// <summary>
    /// Its request stands in the journal of the kernel it was given to: it has an attempt now, and runs. Null when its state does not allow
    /// that, as when it is known already.
    /// </summary>
    public static Execution? Begin(Execution queued, CellStart start) =>
        ExecutionTransitions.Apply(queued.Status, ExecutionCommand.Claim).Accepted is { } claimed
        && ExecutionTransitions.Apply(claimed, ExecutionCommand.ConfirmRunning).Accepted is { } running
            ? queued with
            {
                State = running.State,
                Attempt = running.Attempt,
                StartedAt = start.AtMicroseconds,
                StartPosition = start.Position,
                Cause = null,
                Reason = null,
            }
            : null;

    /// <summary>It will not run, because one that it needs did not end well. Null when its state does not allow that.</summary>
    /// <param name="root">What went wrong first; null when it is not known any more.</param>
    /// <param name="upstream">The one that it needs.</param>
    public static Execution? Block(Execution queued, Execution? root, ExecutionId upstream, long position) =>
        ExecutionTransitions.Apply(queued.Status, ExecutionCommand.Block).Accepted is not { } status
            ? null
            : queued with
            {
                State = status.State,
                Cause = "upstream",
                Reason =
                    $"The cell {NameOf(root, upstream)}, which it needs, {(root?.State == ExecutionState.Lost ? "was lost" : root?.State.Name() ?? "did not end well")}.",
                BlockedBy = root?.Id ?? upstream,
                EndPosition = position,
            };

    /// <summary>Nothing went wrong upstream: somebody, or an edit, has ended the plan.</summary>
    public static Outcome Skipped(Execution? needed, ExecutionId upstream, long at) =>
        new(
            ExecutionState.Cancelled,
            null,
            null,
            "skipped",
            $"It was not started: the cell {NameOf(needed, upstream)}, which it needs, was cancelled.",
            at
        );

    /// <summary>
    /// One that never started is cancelled, whatever ended its kernel; the reason that is known already is the better one.
    /// </summary>
    public static Execution NeverSent(Execution queued, Outcome outcome) =>
        queued with
        {
            State = ExecutionState.Cancelled,
            FinishedAt = EndOf(queued, outcome),
            Cause = queued.Cause ?? outcome.Cause,
            Reason = queued.Cause is null ? outcome.Reason : queued.Reason,
            OutputBytes = 0,
        };

    /// <summary>The outcome as it counts for this cell.</summary>
    public static Outcome Counted(Execution execution, Outcome outcome)
    {
        outcome = outcome with { AtMicroseconds = EndOf(execution, outcome) };
        return execution.IsCancelRequested && outcome is { State: ExecutionState.Failed, Cause: "error" }
            ? outcome with
            {
                State = ExecutionState.Cancelled,
                Cause = "cancelled",
                Reason = $"Interrupted on request. {outcome.Reason}",
            }
            : outcome;
    }

    /// <summary>The row of a client's cell, however far it has come; its sequence is the store's to give.</summary>
    public static Execution Row(SentCell cell)
    {
        Outcome? outcome = cell.Outcome;
        return new Execution
        {
            Sequence = 0,
            Id = cell.Id,
            Kind = ExecutionKind.Cell,
            Queue = "default",
            CreatedAt = cell.CreatedAt,
            AttemptId = cell.AttemptId,
            KernelId = cell.KernelId,
            State = outcome?.State ?? (cell.StartedAt is null ? ExecutionState.Queued : ExecutionState.Running),
            Attempt = cell.StartedAt is null ? 0 : 1,
            MessageId = cell.MessageId,
            CellId = cell.CellId,
            ClientSession = cell.ClientSession,
            ClientUsername = cell.ClientUsername,
            StartedAt = cell.StartedAt,
            StartPosition = cell.StartPosition,
            EndPosition = cell.EndPosition,
            FinishedAt = outcome?.AtMicroseconds,
            ExitCode = outcome?.ExitCode,
            Cause = outcome?.Cause,
            Reason = outcome?.Reason,
            OutputBytes = outcome?.OutputBytes,
        };
    }

    /// <summary>
    /// What was given to a kernel just before its death was noticed was over, by the kernel's own account, before anybody asked for it.
    /// </summary>
    private static long EndOf(Execution execution, Outcome outcome) => Math.Max(outcome.AtMicroseconds, execution.CreatedAt);

    private static string NameOf(Execution? execution, ExecutionId id) =>
        execution?.CellId ?? (execution?.CellIndex is { } index ? $"{index}" : id.Value);
}
