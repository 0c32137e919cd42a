namespace Holdfast.Engine.Supervision;

/// <summary>
/// How a supervisor stands. Only dead acts: its work is then judged by what it left. Stale is shown, whatever its age, and nobody ends it
/// for its silence.
/// </summary>
public enum SupervisorLiveness
{
    /// <summary>It was spawned, and has not said yet that it is there.</summary>
    Starting,

    /// <summary>It sleeps in its loop, or answered when it was asked.</summary>
    Fresh,

    /// <summary>It holds its lock, so its work goes on as far as it can; but it is stopped, starved or not to be reached.</summary>
    Stale,

    /// <summary>Its lock is free: no process of it is left.</summary>
    Dead,
}

/// <summary>Their names, as every door shows them.</summary>
public static class SupervisorLivenesses
{
    public static string Name(this SupervisorLiveness liveness) =>
        liveness switch
        {
            SupervisorLiveness.Starting => "starting",
            SupervisorLiveness.Fresh => "fresh",
            SupervisorLiveness.Stale => "stale",
            _ => "dead",
        };
}

/// <summary>What was seen of a supervisor at one moment.</summary>
/// <param name="HasRecord">Its supervisor.json is there: it has held its lock.</param>
/// <param name="IsLockHeld">Somebody holds the lock of its attempt.</param>
/// <param name="IsAttached">There is a link to it.</param>
/// <param name="IsUnanswered">The last question it was asked had no answer in time.</param>
/// <param name="ProcessState">As proc(5) says it; null when there is no such process.</param>
public sealed record SupervisorSight(bool HasRecord, bool IsLockHeld, bool IsAttached, bool IsUnanswered, char? ProcessState);

/// <summary>The one table of what is fresh, stale and dead, and its thresholds.</summary>
public static class SupervisorLivenessTable
{
    /// <summary>
    /// Every supervisor's process is looked at so often, and asked when it does anything but sleep: often enough for a person to look at;
    /// seldom enough that fifty idle kernels cost nothing worth measuring.
    /// </summary>
    public static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(20);

    /// <summary>A sleeping one is asked too, so often.</summary>
    public static readonly TimeSpan AskInterval = TimeSpan.FromMinutes(5);

    /// <summary>An answer that takes longer makes it stale. No time makes it dead.</summary>
    public static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(5);

    public static (SupervisorLiveness Liveness, string Reason) Of(SupervisorSight seen) =>
        seen switch
        {
            { HasRecord: false } => (SupervisorLiveness.Starting, "it has not yet said that it is there"),
            { IsLockHeld: false } => (SupervisorLiveness.Dead, "its lock is free"),
            { ProcessState: 'T' or 't' } => (SupervisorLiveness.Stale, "it is stopped; SIGCONT lets it go on"),
            { IsUnanswered: true, ProcessState: 'D' } => (SupervisorLiveness.Stale, "it waits for the disk"),
            { IsUnanswered: true } => (SupervisorLiveness.Stale, "it does not answer"),
            { IsAttached: false } => (SupervisorLiveness.Stale, "it holds its lock, and is not connected"),
            { ProcessState: 'S' } => (SupervisorLiveness.Fresh, "it sleeps in its loop"),
            _ => (SupervisorLiveness.Fresh, "it works"),
        };
}
