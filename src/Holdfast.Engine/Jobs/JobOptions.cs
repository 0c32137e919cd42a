namespace Holdfast.Engine.Jobs;

/// <summary>How jobs run, as set by whoever starts the server.</summary>
public sealed record JobOptions
{
    /// <summary>How many jobs run at once. Default: twice the processors, since most jobs wait more than they compute.</summary>
    public int Slots { get; init; } = Math.Max(2, 2 * Environment.ProcessorCount);

    /// <summary>From TERM to KILL when a job is cancelled or out of time. Default 10 seconds, as service managers give.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How many idle supervisors are kept for the next jobs. Each is some 4 MB; they leave by themselves after five idle minutes.
    /// </summary>
    public int WarmSupervisors { get; init; } = Math.Max(2, 2 * Environment.ProcessorCount);
}
