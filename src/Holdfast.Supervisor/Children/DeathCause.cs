using System.Globalization;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Children;

/// <summary>Why a child ended, in a word and a sentence; decided purely from what is known.</summary>
internal sealed record DeathCause(string Cause, string Reason)
{
    /// <summary>What a shell makes of a child of its own that was killed: the signal is then only to be guessed.</summary>
    private const int KilledInShellCode = 128 + Libc.SigKill;

    /// <param name="status">From wait(2).</param>
    /// <param name="stopCause">The cause of the stop under which it ended, or null when nobody asked it to end.</param>
    /// <param name="wasKilledByUs">We sent it a SIGKILL.</param>
    /// <param name="evidence">Of a kill for lack of memory; asked for only where it can matter.</param>
    public static DeathCause Decide(WaitStatus status, string? stopCause, bool wasKilledByUs, OomEvidence evidence)
    {
        if (stopCause is not null)
        {
            return new DeathCause(stopCause, Sentence(stopCause) + How(status, wasKilledByUs));
        }

        if (status.Signal is { } signal)
        {
            return signal == Libc.SigKill && !wasKilledByUs
                ? Killed(evidence)
                : new DeathCause(ExitCause.Signalled, $"It was ended by {SignalName(signal)}{Core(status)}.");
        }

        int code = status.ExitCode ?? 0;
        if (code == KilledInShellCode && !wasKilledByUs && evidence != OomEvidence.None)
        {
            return new DeathCause(
                ExitCause.MaybeOutOfMemory,
                "It exited with code 137, which says that a process of its own was killed by SIGKILL, and a process was killed for lack of memory meanwhile."
            );
        }

        return new DeathCause(ExitCause.Exited, code == 0 ? "It exited with code 0." : $"It exited with code {Text(code)}.");
    }

    /// <summary>The signal's name, or its number where it has none everybody knows.</summary>
    public static string SignalName(int signal) =>
        signal switch
        {
            1 => "SIGHUP",
            2 => "SIGINT",
            3 => "SIGQUIT",
            4 => "SIGILL",
            5 => "SIGTRAP",
            6 => "SIGABRT",
            7 => "SIGBUS",
            8 => "SIGFPE",
            9 => "SIGKILL",
            10 => "SIGUSR1",
            11 => "SIGSEGV",
            12 => "SIGUSR2",
            13 => "SIGPIPE",
            14 => "SIGALRM",
            15 => "SIGTERM",
            24 => "SIGXCPU",
            25 => "SIGXFSZ",
            31 => "SIGSYS",
            _ => "signal " + Text(signal),
        };

    private static DeathCause Killed(OomEvidence evidence) =>
        evidence switch
        {
            OomEvidence.NamesTheProcess => new DeathCause(
                ExitCause.OutOfMemory,
                "It was killed by the system for lack of memory: the kernel's log names it."
            ),
            OomEvidence.InOwnLimit => new DeathCause(
                ExitCause.OutOfMemory,
                "It was killed by the system: its processes needed more memory than its limit allows."
            ),
            OomEvidence.InOwnGroup => new DeathCause(
                ExitCause.OutOfMemory,
                "It was killed by SIGKILL while the system killed for lack of memory in its control group."
            ),
            OomEvidence.SomewhereOnTheMachine => new DeathCause(
                ExitCause.MaybeOutOfMemory,
                "It was killed by SIGKILL, and the system killed some process for lack of memory meanwhile: maybe this one."
            ),
            _ => new DeathCause(ExitCause.Signalled, "It was killed by SIGKILL (by another process; maybe out of memory)."),
        };

    private static string Sentence(string stopCause) =>
        stopCause switch
        {
            ExitCause.Cancelled => "It was cancelled and ",
            ExitCause.TimedOut => "Its time was up and it ",
            ExitCause.OutOfMemory => "It used more memory than its limit allows and ",
            _ => $"It was stopped ({stopCause}) and ",
        };

    private static string How(WaitStatus status, bool wasKilledByUs) =>
        status.Signal switch
        {
            null => $"exited with code {Text(status.ExitCode ?? 0)}.",
            Libc.SigKill when wasKilledByUs => "had to be killed by SIGKILL.",
            { } signal => $"was ended by {SignalName(signal)}{Core(status)}.",
        };

    private static string Core(WaitStatus status) => status.HasDumpedCore ? " and dumped core" : "";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
