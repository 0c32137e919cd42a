namespace Holdfast.Server.Cli.Syntax;

/// <summary>One verb of the command line: its grammar, its help, and what it does.</summary>
public sealed record Verb(string Name, string Usage, string Summary)
{
    public IReadOnlyList<Option> Options { get; init; } = [];

    /// <summary>Those of <see cref="GlobalOptions.All"/> that mean something to it: fewer for one that speaks to no server.</summary>
    public IReadOnlyList<Option> Globals { get; init; } = GlobalOptions.All;

    /// <summary>How many operands it takes; the maximum is null where there is none.</summary>
    public (int Min, int? Max) Operands { get; init; } = (0, 0);

    /// <summary>True when the first operand begins a command whose own options are not ours to read.</summary>
    public bool TakesCommand { get; init; }

    /// <summary>What the help says beneath the options: exit codes, examples.</summary>
    public string Notes { get; init; } = "";

    /// <summary>Returns the program's exit code.</summary>
    public required Func<CliContext, Arguments, Task<int>> RunAsync { get; init; }
}
