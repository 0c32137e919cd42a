namespace Holdfast.Engine.Executions;

/// <summary>What may happen to an execution.</summary>
public enum ExecutionCommand
{
    /// <summary>Its locks are not free: queued to waiting.</summary>
    Wait,

    /// <summary>It has its locks: waiting to queued.</summary>
    Grant,

    /// <summary>Give it a new attempt: queued to starting.</summary>
    Claim,

    /// <summary>The attempt's child is known to run.</summary>
    ConfirmRunning,

    /// <summary>The attempt is proven never to have started: back to the queue.</summary>
    Unclaim,

    ConfirmPaused,
    ConfirmResumed,
    Cancel,
    Pause,
    Resume,

    /// <summary>What it needs did not end well: queued to blocked.</summary>
    Block,

    /// <summary>The attempt's outcome is known.</summary>
    Finish,
    Retry,
}

/// <summary>A transition's verdict: the new status, or the reason it may not be. Never both.</summary>
public readonly record struct TransitionDecision(ExecutionStatus? Accepted, string? Refusal)
{
    public static TransitionDecision Accept(ExecutionStatus status) => new(status, null);

    public static TransitionDecision Refuse(string reason) => new(null, reason);
}

/// <summary>
/// The table of legal moves, as one pure function. Commands are applied inside the transaction that stores the new status, so two callers
/// never act on the same old one. Stale news (an outcome for an attempt that is no longer the current one) is kept out by the caller's
/// fence, not here.
/// </summary>
public static class ExecutionTransitions
{
    public static TransitionDecision Apply(ExecutionStatus status, ExecutionCommand command, ExecutionState? outcome = null)
    {
        ExecutionState state = status.State;
        switch (command)
        {
            case ExecutionCommand.Wait when state == ExecutionState.Queued && status.Kind == ExecutionKind.Job:
                return TransitionDecision.Accept(status with { State = ExecutionState.Waiting });

            case ExecutionCommand.Grant when state == ExecutionState.Waiting:
                return TransitionDecision.Accept(status with { State = ExecutionState.Queued });

            case ExecutionCommand.Claim when state == ExecutionState.Queued:
                return TransitionDecision.Accept(status with { State = ExecutionState.Starting, Attempt = status.Attempt + 1 });

            case ExecutionCommand.ConfirmRunning when state == ExecutionState.Starting:
                return TransitionDecision.Accept(status with { State = ExecutionState.Running });

            case ExecutionCommand.Unclaim when state == ExecutionState.Starting:
                // Cancelled before it ever ran: there is nothing to go back to the queue for.
                return TransitionDecision.Accept(
                    status with
                    {
                        State = status.IsCancelRequested ? ExecutionState.Cancelled : ExecutionState.Queued,
                    }
                );

            case ExecutionCommand.ConfirmPaused when state == ExecutionState.Running:
                return TransitionDecision.Accept(status with { State = ExecutionState.Paused });

            case ExecutionCommand.ConfirmResumed when state == ExecutionState.Paused:
                return TransitionDecision.Accept(status with { State = ExecutionState.Running });

            case ExecutionCommand.Cancel when state == ExecutionState.Queued && status.IsHandedOver:
                return TransitionDecision.Accept(status with { IsCancelRequested = true });

            case ExecutionCommand.Cancel when state is ExecutionState.Waiting or ExecutionState.Queued or ExecutionState.Blocked:
                return TransitionDecision.Accept(status with { State = ExecutionState.Cancelled, IsCancelRequested = true });

            case ExecutionCommand.Cancel when state.IsActive():
                // The outcome decides: work that ends by itself before the stop reaches it keeps its own result.
                return TransitionDecision.Accept(status with { IsCancelRequested = true });

            case ExecutionCommand.Pause when state == ExecutionState.Running && status.Kind == ExecutionKind.Job:
            case ExecutionCommand.Resume when state == ExecutionState.Paused:
                return TransitionDecision.Accept(status);

            case ExecutionCommand.Block when state == ExecutionState.Queued && status.Kind == ExecutionKind.Cell:
                return TransitionDecision.Accept(status with { State = ExecutionState.Blocked });

            case ExecutionCommand.Finish when state.IsActive() && outcome is { } terminal && terminal.IsTerminal():
                return TransitionDecision.Accept(status with { State = terminal });

            case ExecutionCommand.Retry
                when state is ExecutionState.Failed or ExecutionState.Cancelled or ExecutionState.TimedOut or ExecutionState.Lost
                    && status.Kind == ExecutionKind.Job:
                return TransitionDecision.Accept(status with { State = ExecutionState.Queued, IsCancelRequested = false });

            default:
                return TransitionDecision.Refuse(Refusal(status, command));
        }
    }

    /// <summary>What the state allows a caller to do, for the message of a refusal.</summary>
    public static string Allowed(ExecutionStatus status)
    {
        ExecutionCommand[] callers = [ExecutionCommand.Cancel, ExecutionCommand.Pause, ExecutionCommand.Resume, ExecutionCommand.Retry];
        string[] allowed = [.. callers.Where(c => Apply(status, c).Accepted is not null).Select(c => c.ToString().ToLowerInvariant())];
        return allowed.Length == 0 ? "nothing more can be done with it" : $"it allows: {string.Join(", ", allowed)}";
    }

    private static string Refusal(ExecutionStatus status, ExecutionCommand command)
    {
        string verb = command.ToString().ToLowerInvariant();
        if (command is ExecutionCommand.Pause or ExecutionCommand.Retry && status.Kind == ExecutionKind.Cell)
        {
            return $"A cell cannot be told to {verb}: only jobs can. "
                + (command == ExecutionCommand.Retry ? "Run the notebook again from that cell instead." : "Interrupt its kernel instead.");
        }

        // Allowed() calls Apply, whose refusals call this: caller commands end here after one level because they are refused without asking
        // again.
        return command is ExecutionCommand.Cancel or ExecutionCommand.Pause or ExecutionCommand.Resume or ExecutionCommand.Retry
            ? $"The execution is {status.State.Name()}, which does not allow {verb}."
            : $"{command} is not a move from {status.State.Name()}.";
    }
}
