using Holdfast.Engine.Executions;
using Holdfast.Protocol.Attempts;

namespace Holdfast.Engine.Jobs;

/// <summary>What an exit record means for the execution.</summary>
internal static class JobOutcome
{
    public static Outcome Of(ExitRecord exit) =>
        new(StateOf(exit), exit.ExitCode, exit.Signal, exit.Cause, exit.Reason, UnixTime.FromNanoseconds(exit.AtUnixNanoseconds))
        {
            OutputBytes = exit.StdoutBytes + exit.StderrBytes,
        };

    public static Outcome Lost(string reason, long at) => new(ExecutionState.Lost, null, null, "lost", reason, at);

    private static ExecutionState StateOf(ExitRecord exit) =>
        exit.Cause switch
        {
            ExitCause.Cancelled => ExecutionState.Cancelled,
            ExitCause.TimedOut => ExecutionState.TimedOut,
            _ => exit.ExitCode == 0 ? ExecutionState.Succeeded : ExecutionState.Failed,
        };
}
