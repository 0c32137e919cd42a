using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Children;

namespace Holdfast.Tests.Supervisor.Children;

public sealed class DeathCauseTests
{
    private static readonly WaitStatus Killed = new(null, Libc.SigKill, false);

    [Theory]
    [InlineData(0, "It exited with code 0.")]
    [InlineData(3, "It exited with code 3.")]
    public void An_exit_is_an_exit(int code, string reason) =>
        Assert.Equal(
            new DeathCause(ExitCause.Exited, reason),
            DeathCause.Decide(new WaitStatus(code, null, false), null, false, OomEvidence.None)
        );

    [Fact]
    public void A_signal_is_named_with_its_core()
    {
        DeathCause death = DeathCause.Decide(new WaitStatus(null, 11, true), null, false, OomEvidence.None);

        Assert.Equal(new DeathCause(ExitCause.Signalled, "It was ended by SIGSEGV and dumped core."), death);
    }

    [Theory]
    [InlineData(OomEvidence.None, ExitCause.Signalled)]
    [InlineData(OomEvidence.SomewhereOnTheMachine, ExitCause.MaybeOutOfMemory)]
    [InlineData(OomEvidence.InOwnGroup, ExitCause.OutOfMemory)]
    [InlineData(OomEvidence.NamesTheProcess, ExitCause.OutOfMemory)]
    public void A_kill_that_was_not_ours_is_weighed_by_its_evidence(OomEvidence evidence, string cause)
    {
        DeathCause death = DeathCause.Decide(Killed, null, wasKilledByUs: false, evidence);

        Assert.Equal(cause, death.Cause);
        Assert.Contains("memory", death.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_kill_of_ours_needs_no_other_explanation()
    {
        DeathCause death = DeathCause.Decide(Killed, null, wasKilledByUs: true, OomEvidence.NamesTheProcess);

        Assert.Equal(new DeathCause(ExitCause.Signalled, "It was ended by SIGKILL."), death);
    }

    [Theory]
    [InlineData(ExitCause.Cancelled, "It was cancelled and had to be killed by SIGKILL.")]
    [InlineData(ExitCause.TimedOut, "Its time was up and it had to be killed by SIGKILL.")]
    [InlineData("preempted", "It was stopped (preempted) and had to be killed by SIGKILL.")]
    public void A_stop_is_the_cause_of_the_death_it_brought(string stopCause, string reason) =>
        Assert.Equal(new DeathCause(stopCause, reason), DeathCause.Decide(Killed, stopCause, wasKilledByUs: true, OomEvidence.None));

    [Fact]
    public void A_stopped_job_keeps_its_exit_code() =>
        Assert.Equal(
            new DeathCause(ExitCause.Cancelled, "It was cancelled and exited with code 0."),
            DeathCause.Decide(new WaitStatus(0, null, false), ExitCause.Cancelled, false, OomEvidence.None)
        );

    [Theory]
    [InlineData(OomEvidence.None, ExitCause.Exited)]
    [InlineData(OomEvidence.SomewhereOnTheMachine, ExitCause.MaybeOutOfMemory)]
    public void A_shell_that_says_137_may_speak_of_a_process_of_its_own(OomEvidence evidence, string cause) =>
        Assert.Equal(cause, DeathCause.Decide(new WaitStatus(137, null, false), null, false, evidence).Cause);
}
