namespace Holdfast.Server.Cli.Syntax;

/// <summary>One option of a verb, as the parser reads it and the help shows it.</summary>
/// <param name="Name">With its dashes: <c>--timeout</c>.</param>
/// <param name="Values">What follows it, as the help names it; empty for a flag. Each word is one argument: <c>NAME VALUE</c> takes
/// two.</param>
public sealed record Option(string Name, string Values, string Summary)
{
    /// <summary>The single letter with its dash, or null.</summary>
    public string? Short { get; init; }

    public bool IsRepeatable { get; init; }

    public int ValueCount => Values.Length == 0 ? 0 : Values.Count(c => c == ' ') + 1;
}
