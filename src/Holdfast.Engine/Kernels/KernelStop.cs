using Holdfast.Protocol.Attempts;

namespace Holdfast.Engine.Kernels;

/// <summary>The causes that go into the exit record of a kernel that was ended on request, so that nobody later calls it a death.</summary>
internal static class KernelStop
{
    public const string Cause = "stopped";

    /// <summary>Ended because it was idle for too long.</summary>
    public const string Culled = "culled";

    /// <summary>Ended to be started again: whoever finds the record goes on with that.</summary>
    public const string Restarted = ExitCause.Restarted;

    /// <summary>For a server that finds the record and was not there when the end was asked for.</summary>
    public static string Reason(string? cause) =>
        cause switch
        {
            Culled => "It was culled: it had been idle for too long.",
            Restarted => "It is being restarted on request.",
            _ => "It was stopped on request.",
        };
}
