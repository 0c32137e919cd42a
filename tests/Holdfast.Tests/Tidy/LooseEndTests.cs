using System.Text.RegularExpressions;

namespace Holdfast.Tests.Tidy;

/// <summary>What is easy to leave behind: reminders without an issue, unmet crash points, ids used twice, tests that sleep.</summary>
public sealed partial class LooseEndTests
{
    [Fact]
    public void A_reminder_names_its_issue()
    {
        IEnumerable<(string Path, string Text)> comments = Repository
            .Sources.Select(s => (s.Path, s.Comments))
            .Concat(
                Repository
                    .Files("eng", "*", SearchOption.AllDirectories)
                    .Append("dev")
                    .Append("Directory.Build.props")
                    .Select(p => (p, Repository.Read(p)))
            );
        Repository.ExpectNone(
            from file in comments
            from Match reminder in Reminder().Matches(file.Text)
            select $"{file.Path}: {reminder.Value.Trim()}",
            "Write the issue beside it, TODO(#12):"
        );
    }

    /// <summary>
    /// One place may look again after a moment: the system tests' wait for what nobody announces, such as the death of a foreign process.
    /// The soak is no test, and pauses are what it is about.
    /// </summary>
    [Fact]
    public void No_test_sleeps() =>
        Repository.ExpectNone(
            from file in Repository.Sources
            where
                file.IsIn("tests")
                && !file.IsIn("tests/Holdfast.Soak")
                && file.Path != "tests/Holdfast.SystemTests/Serving/Patience.cs"
                && Sleep().IsMatch(file.Code)
            select file.Path,
            "A test waits for an event, never for a time:"
        );

    [Fact]
    public void Event_ids_are_unique_and_named()
    {
        SourceFile[] files = [.. Repository.Product.Where(f => f.Path.EndsWith("EventIds.cs", StringComparison.Ordinal))];
        IEnumerable<string> twice = files
            .SelectMany(f => EventId().Matches(f.Code))
            .GroupBy(m => m.Groups[1].Value)
            .Where(g => g.Count() > 1)
            .Select(g => $"event id {g.Key}");
        IEnumerable<string> bare = Repository
            .Product.Where(f => BareEventId().IsMatch(f.Code))
            .Select(f => $"{f.Path}: an id that is not from EventIds");
        Repository.ExpectNone(twice.Concat(bare), "An event id used twice, or written as a number:");
    }

    [Fact]
    public void Every_crash_point_is_reached_in_the_product() =>
        Repository.ExpectNone(
            from point in Enum.GetNames<Protocol.CrashPoint>()
            where point != nameof(Protocol.CrashPoint.None)
            where !Repository.Product.Any(f => f.Code.Contains($"CrashPoint.{point})", StringComparison.Ordinal))
            select point,
            "A crash point that no code marks:"
        );

    /// <summary>
    /// The suite that iterates over all members still has to name each: a scenario says what must hold after that very death.
    /// </summary>
    [Fact]
    public void Every_crash_point_has_a_scenario()
    {
        SourceFile[] scenarios = [.. Repository.Sources.Where(f => f.IsIn("tests/Holdfast.SystemTests") && f.Mentions("CrashPoint"))];
        Assert.SkipUnless(scenarios.Length > 0, "The crash suite does not exist yet.");
        Repository.ExpectNone(
            from point in Enum.GetNames<Protocol.CrashPoint>()
            where point != nameof(Protocol.CrashPoint.None) && !scenarios.Any(f => f.Mentions(point))
            select point,
            "A crash point without a scenario in tests/Holdfast.SystemTests:"
        );
    }

    [Fact]
    public void Migrations_are_numbered_in_sequence() =>
        Repository.ExpectNone(
            Repository
                .Files("src/Holdfast.Engine/Store/Migrations", "*.sql", SearchOption.TopDirectoryOnly)
                .Select((path, index) => (path, number: $"{index + 1:0000}_"))
                .Where(m => !Path.GetFileName(m.path).StartsWith(m.number, StringComparison.Ordinal))
                .Select(m => $"{m.path} should begin with {m.number}"),
            "A migration out of sequence:"
        );

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b(?!\(#\d+\)| #\d+).*")]
    private static partial Regex Reminder();

    [GeneratedRegex(@"\bTask\.Delay\b|\bThread\.Sleep\b")]
    private static partial Regex Sleep();

    [GeneratedRegex(@"\bconst\s+int\s+\w+\s*=\s*(\d+)")]
    private static partial Regex EventId();

    [GeneratedRegex(@"\bLoggerMessage\(\s*(EventId\s*=\s*)?\d")]
    private static partial Regex BareEventId();
}
