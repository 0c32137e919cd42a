namespace Holdfast.Engine.Callbacks;

/// <summary>
/// Whom to tell, how to sign it, when to try again: what was asked for, after it was checked. A url or a command, never both.
/// </summary>
public sealed record CallbackOrder
{
    public string? Url { get; init; }
    public IReadOnlyList<string>? Argv { get; init; }

    /// <summary>Where a command runs.</summary>
    public string? Cwd { get; init; }

    public IReadOnlyList<string> Secrets { get; init; } = [];
    public CallbackSchedule Schedule { get; init; } = CallbackSchedule.Days;

    /// <summary>
    /// The receiver: callbacks with the same lane share its fortune. Without the query, which may differ from one to the next, and may be
    /// secret.
    /// </summary>
    public string Lane => Url is null ? CommandPrefix + Argv![0] : new Uri(Url).GetLeftPart(UriPartial.Path);

    /// <summary>What carries several lanes: a host, or this machine.</summary>
    public static string HostOf(string lane) => IsCommand(lane) ? CommandPrefix : new Uri(lane).Authority;

    public static bool IsCommand(string lane) => lane.StartsWith(CommandPrefix, StringComparison.Ordinal);

    /// <summary>Without the secrets.</summary>
    public override string ToString() => $"callback to {Lane}";

    private const string CommandPrefix = "command:";
}
