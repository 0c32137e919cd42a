using FsCheck;
using FsCheck.Fluent;
using Holdfast.Engine.Executions;
using static Holdfast.Engine.Executions.ExecutionCommand;
using static Holdfast.Engine.Executions.ExecutionState;

namespace Holdfast.Tests.Executions;

/// <summary>
/// Goal: no sequence of commands leaves the table of legal moves. Method: the table is written down here a second time, by hand, as text;
/// every pair of state and command is compared with it, and random sequences are walked against it.
/// </summary>
public sealed class ExecutionTransitionsTests
{
    private static readonly ExecutionState[] States = Enum.GetValues<ExecutionState>();
    private static readonly ExecutionCommand[] Commands = Enum.GetValues<ExecutionCommand>();

    /// <summary>What each state allows a job; "!" marks that a cancel is noted and the state stays.</summary>
    private static readonly Dictionary<ExecutionState, string> Jobs = new()
    {
        [Waiting] = "Grant>Queued Cancel>Cancelled",
        [Queued] = "Wait>Waiting Claim>Starting Cancel>Cancelled",
        [Starting] = "ConfirmRunning>Running Unclaim>Queued Cancel>Starting! Finish>*",
        [Running] = "ConfirmPaused>Paused Cancel>Running! Pause>Running Finish>*",
        [Paused] = "ConfirmResumed>Running Cancel>Paused! Resume>Paused Finish>*",
        [Blocked] = "Cancel>Cancelled",
        [Succeeded] = "",
        [Failed] = "Retry>Queued",
        [Cancelled] = "Retry>Queued",
        [TimedOut] = "Retry>Queued",
        [Lost] = "Retry>Queued",
    };

    [Fact]
    public void Every_pair_of_state_and_command_is_as_the_table_says_for_jobs()
    {
        foreach (ExecutionState state in States)
        {
            Assert.Equal($"{state}: {Jobs[state]}", $"{state}: {Moves(Status(ExecutionKind.Job, state))}");
        }
    }

    [Fact]
    public void Cells_have_the_same_table_without_pause_and_retry_and_may_be_blocked()
    {
        foreach (ExecutionState state in States)
        {
            string expected = string.Join(
                ' ',
                Jobs[state]
                    .Split(' ')
                    .Where(static m =>
                        !m.StartsWith("Pause", StringComparison.Ordinal)
                        && !m.StartsWith("Wait>", StringComparison.Ordinal)
                        && !m.StartsWith("Retry", StringComparison.Ordinal)
                    )
            );
            expected += state == Queued ? " Block>Blocked" : "";
            Assert.Equal($"{state}: {expected}", $"{state}: {Moves(Status(ExecutionKind.Cell, state))}");
        }
    }

    [Fact]
    public void A_cell_in_its_kernels_queue_is_not_cancelled_before_the_journal_says_that_it_was_not_sent()
    {
        ExecutionStatus status = Status(ExecutionKind.Cell, Queued) with { IsHandedOver = true };
        Assert.Equal(status with { IsCancelRequested = true }, ExecutionTransitions.Apply(status, Cancel).Accepted);
    }

    [Fact]
    public void An_attempt_that_never_started_goes_back_to_the_queue_unless_it_was_cancelled()
    {
        ExecutionStatus status = Status(ExecutionKind.Job, Starting);
        Assert.Equal(Queued, ExecutionTransitions.Apply(status, Unclaim).Accepted!.Value.State);
        Assert.Equal(Cancelled, ExecutionTransitions.Apply(status with { IsCancelRequested = true }, Unclaim).Accepted!.Value.State);
    }

    [Fact]
    public void A_retry_forgets_the_cancel_of_the_attempt_before() =>
        Assert.False(
            ExecutionTransitions
                .Apply(Status(ExecutionKind.Job, Cancelled) with { IsCancelRequested = true }, Retry)
                .Accepted!.Value.IsCancelRequested
        );

    [Fact]
    public void An_outcome_that_is_missing_or_not_final_is_refused() =>
        Assert.All(
            new ExecutionState?[] { null, Queued, Running, Paused, Blocked },
            o => Assert.Null(ExecutionTransitions.Apply(Status(ExecutionKind.Job, Running), Finish, o).Accepted)
        );

    [Fact]
    public void A_refusal_names_the_state_or_that_it_is_a_cell_and_what_is_allowed()
    {
        foreach (ExecutionStatus status in AllStatuses())
        {
            foreach (ExecutionCommand command in Commands)
            {
                TransitionDecision decision = ExecutionTransitions.Apply(status, command, Failed);
                Assert.NotEqual(decision.Accepted is null, decision.Refusal is null);
                string? named = status.Kind == ExecutionKind.Cell && (command is Pause or Retry) ? "cell" : status.State.Name();
                Assert.True(decision.Refusal?.Contains(named, StringComparison.Ordinal) ?? true, $"{status} {command}: {decision.Refusal}");
            }

            string allowed = ExecutionTransitions.Allowed(status);
            Assert.Equal(
                allowed.Contains("retry", StringComparison.Ordinal),
                ExecutionTransitions.Apply(status, Retry).Accepted is not null
            );
        }
    }

    [Fact]
    public void No_sequence_of_commands_leaves_the_table()
    {
        Gen<(ExecutionCommand, ExecutionState?)> step = Gen.Elements(Commands)
            .SelectMany(
                _ => Gen.Elements(States.Select(s => (ExecutionState?)s).Append(null).ToArray()),
                static (command, outcome) => (command, outcome)
            );
        Gen<(ExecutionStatus, (ExecutionCommand, ExecutionState?)[])> walks = Gen.Elements(AllStatuses().ToArray())
            .SelectMany(_ => step.ArrayOf(), static (start, steps) => (start, steps));
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(500).WithReplay(19, 7).WithEndSize(60),
            Prop.ForAll(
                walks.ToArbitrary(),
                static walk =>
                {
                    (ExecutionStatus status, (ExecutionCommand, ExecutionState?)[] steps) = walk;
                    foreach ((ExecutionCommand command, ExecutionState? outcome) in steps)
                    {
                        TransitionDecision decision = ExecutionTransitions.Apply(status, command, outcome);
                        Assert.Equal(decision, ExecutionTransitions.Apply(status, command, outcome)); // Pure.
                        if (decision.Accepted is { } next)
                        {
                            RequireLegal(status, command, outcome, next);
                            status = next;
                        }
                    }
                }
            )
        );
    }

    private static void RequireLegal(ExecutionStatus from, ExecutionCommand command, ExecutionState? outcome, ExecutionStatus to)
    {
        string move = $"{from} {command} {outcome} -> {to}";
        Assert.True(from.Kind == to.Kind && from.IsHandedOver == to.IsHandedOver, move);
        Assert.True(to.Attempt == from.Attempt + (command == Claim ? 1 : 0), move);
        Assert.True(
            !from.State.IsTerminal()
                || (command == Retry && to.State == Queued && from.Kind == ExecutionKind.Job && from.State != Succeeded),
            move
        );
        Assert.True(from.State == to.State || to.State != Succeeded || (command == Finish && outcome == Succeeded), move);
        Assert.True(!from.IsCancelRequested || to.IsCancelRequested || command == Retry, move); // A wish is not lost on the way.
        Assert.True(
            from.State == to.State
                || (command == Block && from.Kind == ExecutionKind.Cell && from.State == Queued)
                || Jobs[from.State].Contains($"{command}>", StringComparison.Ordinal),
            move
        );
    }

    private static IEnumerable<ExecutionStatus> AllStatuses() =>
        from kind in Enum.GetValues<ExecutionKind>()
        from state in States
        from isCancelRequested in new[] { false, true }
        from isHandedOver in new[] { false, true }
        select new ExecutionStatus(kind, state, 3, isCancelRequested, isHandedOver && kind == ExecutionKind.Cell);

    private static ExecutionStatus Status(ExecutionKind kind, ExecutionState state) => new(kind, state, 3, false, false);

    /// <summary>All that this status allows, in the table's notation.</summary>
    private static string Moves(ExecutionStatus status) =>
        string.Join(' ', Commands.Select(command => Move(status, command)).Where(static m => m is not null));

    private static string? Move(ExecutionStatus status, ExecutionCommand command)
    {
        if (command == Finish)
        {
            ExecutionState[] outcomes =
            [
                .. States.Where(s =>
                    ExecutionTransitions.Apply(status, Finish, s).Accepted is { } ended && ended == status with { State = s }
                ),
            ];
            return outcomes.Length == 0 ? null
                : outcomes.SequenceEqual(States.Where(static s => s.IsTerminal())) ? "Finish>*"
                : $"Finish>{string.Join(',', outcomes)}";
        }

        return ExecutionTransitions.Apply(status, command).Accepted is not { } next
            ? null
            : $"{command}>{next.State}{(next.IsCancelRequested && !next.State.IsTerminal() ? "!" : "")}";
    }
}
