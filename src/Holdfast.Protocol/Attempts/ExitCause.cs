namespace Holdfast.Protocol.Attempts;

/// <summary>
/// The causes an exit record names. Texts and not an enum: a stop brings its own cause, and a newer supervisor may know more.
/// </summary>
public static class ExitCause
{
    public const string Exited = "exited";
    public const string Signalled = "signalled";
    public const string NotStarted = "notStarted";
    public const string Cancelled = "cancelled";
    public const string TimedOut = "timedOut";

    /// <summary>A kernel that ran, but did not answer within startTimeoutMs.</summary>
    public const string StartTimedOut = "startTimedOut";

    /// <summary>A kernel that was ended on request, to be started again: it is told so.</summary>
    public const string Restarted = "restarted";

    /// <summary>Proven by the kernel's own record of the kill.</summary>
    public const string OutOfMemory = "outOfMemory";

    /// <summary>Killed by a SIGKILL that was not ours, while the machine's count of such kills rose. Likely, not proven.</summary>
    public const string MaybeOutOfMemory = "maybeOutOfMemory";
}
