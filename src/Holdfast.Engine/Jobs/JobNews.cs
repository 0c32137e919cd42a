using Holdfast.Engine.Executions;
using Holdfast.Engine.Supervision;

namespace Holdfast.Engine.Jobs;

/// <summary>
/// What a supervisor's end of the house is told about jobs. Methods take note and return at once: they are called on a link's reading loop.
/// </summary>
internal abstract class JobNews
{
    public abstract void Started(LiveAttempt live, long atMicroseconds);

    /// <summary>It was found to run when its supervisor was attached to again.</summary>
    public abstract void Running(LiveAttempt live, long sinceMicroseconds);

    public abstract void Moved(LiveAttempt live, ExecutionCommand command);

    /// <summary>The attempt's outcome is durable on its side; the supervisor is idle.</summary>
    public abstract void Ended(LiveAttempt live, Outcome outcome, JobSupervisor? supervisor);

    /// <summary>The attempt was claimed, and never will be run: the job goes back where it was.</summary>
    public abstract void NeverStarted(LiveAttempt live);

    /// <summary>The link is closed; <paramref name="live"/> is the attempt it left behind, if any.</summary>
    public abstract void Gone(JobSupervisor supervisor, LiveAttempt? live);
}
