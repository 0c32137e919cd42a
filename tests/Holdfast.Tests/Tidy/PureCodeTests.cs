using System.Text.RegularExpressions;

namespace Holdfast.Tests.Tidy;

/// <summary>Rules decide without touching anything, and the supervisor uses only what starts fast and stays small.</summary>
public sealed class PureCodeTests
{
    private static readonly Regex PureFile = new(@"(Transitions|CellRules|DependencyGraph|RunPlan|RecoveryPlan|OutputFold)\.cs$");

    private static readonly string[] Effects =
    [
        "System.IO",
        "File",
        "Directory",
        "FileStream",
        "Stream",
        "TimeProvider",
        "DateTime",
        "DateTimeOffset",
        "ILogger",
        "LoggerMessage",
        "Task",
        "ValueTask",
        "await",
        "async",
        "CancellationToken",
        "Random",
        "Environment",
        "Console",
        "StoreTransaction",
        "StoreReader",
        "StateStore",
    ];

    // The serializer, LINQ, regular expressions and async machinery each cost the supervisor start-up time and memory, fifty times over.
    private static readonly string[] Dear =
    [
        "JsonSerializer",
        "System.Linq",
        "Regex",
        "await",
        "async",
        "Task",
        "ThreadPool",
        "Console",
        "Timer",
    ];

    [Fact]
    public void Pure_files_have_no_effect() =>
        Repository.ExpectNone(
            from file in Repository.Product
            where PureFile.IsMatch(file.Path)
            from word in Effects
            where file.Mentions(word)
            select $"{file.Path} mentions {word}",
            "A pure file uses I/O, a clock, a logger, randomness or a task:"
        );

    [Fact]
    public void The_supervisor_uses_nothing_dear() =>
        Repository.ExpectNone(
            from file in Repository.Product
            where file.IsIn("src/Holdfast.Supervisor")
            from word in Dear
            where file.Mentions(word)
            select $"{file.Path} mentions {word}",
            "The supervisor uses what it should do without:"
        );
}
