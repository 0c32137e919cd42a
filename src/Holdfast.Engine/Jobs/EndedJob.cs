using Holdfast.Engine.Executions;
using Holdfast.Engine.Supervision;

namespace Holdfast.Engine.Jobs;

/// <summary>
/// A job whose slot is to be freed: with its outcome, or without one when it never started, and the supervisor that is idle now, if any.
/// </summary>
internal sealed record EndedJob(LiveAttempt Live, Outcome? Outcome, JobSupervisor? Supervisor);
