using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Link;

namespace Holdfast.Supervisor.Attempts;

/// <summary>The notices by which the server learns what became of an attempt.</summary>
internal static class AttemptNotices
{
    public static LinkMessage Started(string attempt, ChildRecord child) =>
        new()
        {
            Type = LinkMessageType.Started,
            Attempt = attempt,
            Pid = child.Process.Pid,
            StartTicks = child.Process.StartTicks,
            BootId = child.Process.BootId,
            AtUnixNanoseconds = child.AtUnixNanoseconds,
        };

    /// <param name="position">Where its journal ends.</param>
    public static LinkMessage Exited(string attempt, ExitRecord exit, long position) =>
        new()
        {
            Type = LinkMessageType.Exited,
            Attempt = attempt,
            ExitCode = exit.ExitCode,
            Signal = exit.Signal ?? 0,
            Cause = exit.Cause,
            Reason = exit.Reason,
            AtUnixNanoseconds = exit.AtUnixNanoseconds,
            Position = position,
        };

    /// <summary>Whether its journal takes anything now, and why not.</summary>
    public static LinkMessage Stall(string attempt, AttemptJournal journal, long unixNanoseconds) =>
        new()
        {
            Type = journal.IsStalled ? LinkMessageType.Stalled : LinkMessageType.Unstalled,
            Attempt = attempt,
            Reason = journal.IsStalled ? journal.Steps.StallReason : null,
            AtUnixNanoseconds = unixNanoseconds,
        };
}
