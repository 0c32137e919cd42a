using System.Text.Json;

namespace Holdfast.Server.Cli;

/// <summary>
/// What the program says to its caller when it ends. Scripts depend on these, and every <c>--help</c> that gives one of them says so.
/// </summary>
public static class ExitCodes
{
    public const int Success = 0;
    public const int Refused = 1;
    public const int Usage = 2;
    public const int ServerUnreachable = 3;

    /// <summary>EX_TEMPFAIL of sysexits.h: nobody knows how the work ended, so neither success nor failure may be claimed.</summary>
    public const int Lost = 75;

    /// <summary>As timeout(1) has it: the waiting ended, not the work.</summary>
    public const int WaitTimedOut = 124;

    public const int Interrupted = 130;

    /// <summary>128 + SIGPIPE: what a program gets that does not ignore the signal when its reader goes away.</summary>
    public const int OutputClosed = 141;

    private const int SignalOffset = 128;

    /// <summary>The status of an execution that has ended: its own exit code, or 128 and the signal that killed it.</summary>
    public static int Of(JsonElement execution)
    {
        string? state = execution.Text("state");
        if (state == "lost")
        {
            return Lost;
        }

        if (execution.Integer("exitCode") is { } exitCode)
        {
            // A job that was cancelled or timed out and took it well, with 0, did still not succeed.
            return exitCode == 0 && state != "succeeded" ? Refused : (int)exitCode;
        }

        return execution.Integer("signal") is { } signal ? SignalOffset + (int)signal
            : state == "succeeded" ? Success
            : Refused;
    }

    /// <summary>The status of a notebook run that has ended.</summary>
    public static int OfRun(string? state) =>
        state switch
        {
            "succeeded" => Success,
            "lost" => Lost,
            _ => Refused,
        };
}
