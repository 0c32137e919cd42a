using Holdfast.Server.Cli.Screen;

namespace Holdfast.Server.Cli;

/// <summary>The world as a verb sees it: the process's boundary, which tests replace.</summary>
public sealed class CliContext
{
    public required ITerminal Terminal { get; init; }

    public required Func<string, string?> Environment { get; init; }

    public required string CurrentDirectory { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>The program that a background server is started from; null when it is not known.</summary>
    public string? Executable { get; init; }

    /// <summary>The word that this program was called by; null when it is not known.</summary>
    public Func<string?> CalledAs { get; init; } = () => null;

    /// <summary>
    /// How long a server that was there and is gone is waited for. Five minutes: a reboot of a machine, an upgrade with a look at the logs.
    /// </summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Set by a verb as soon as it knows: the command that comes back to the work after Ctrl-C.</summary>
    public string? ComeBack { get; set; }

    /// <summary>Cancelled by Ctrl-C. Only verbs that wait ask for it, because listening costs a thread.</summary>
    public Func<CancellationToken> Interruption { get; init; } = () => CancellationToken.None;
}
