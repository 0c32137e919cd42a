using System.Globalization;
using System.Text.Json;

namespace Holdfast.Server.Cli.Screen;

/// <summary>One line on how a piece of work stands.</summary>
internal static class Sentences
{
    private const int LineLengthMax = 60;

    /// <summary>
    /// <c>succeeded</c>, <c>failed (exit 2)</c>, <c>failed (signal 9: out of memory)</c>, <c>queued (3rd in line)</c> and the like.
    /// </summary>
    public static string State(JsonElement execution)
    {
        string state = execution.Text("state") ?? "unknown";
        var notes = new List<string>();
        if (execution.Integer("exitCode") is { } exitCode && (exitCode != 0 || state is not "succeeded"))
        {
            notes.Add(string.Create(CultureInfo.InvariantCulture, $"exit {exitCode}"));
        }

        if (execution.Integer("signal") is { } signal)
        {
            notes.Add(string.Create(CultureInfo.InvariantCulture, $"signal {signal}"));
        }

        if (execution.Integer("queuePosition") is { } position)
        {
            notes.Add(string.Create(CultureInfo.InvariantCulture, $"{position} in line"));
        }

        if (execution.Boolean("cancelRequested") == true && !execution.HasEnded())
        {
            notes.Add("being cancelled");
        }

        if (execution.Text("stalled") is { } stalled)
        {
            notes.Add($"stalled: {stalled}");
        }

        if (execution.Text("supervisor") == "stale")
        {
            notes.Add("its supervisor does not answer");
        }

        return notes.Count == 0 ? state : $"{state} ({string.Join(", ", notes)})";
    }

    /// <summary>The state, the time it took and the reason where there is one.</summary>
    public static string Outcome(JsonElement execution, TimeProvider time)
    {
        string line = State(execution);
        if (Ages.DurationText(execution, time) is { } duration)
        {
            line += " " + duration;
        }

        return execution.Text("reason") is { Length: > 0 } reason ? $"{line}: {TerminalText.Printable(reason)}" : line;
    }

    /// <summary>
    /// What an execution is known by where it has no name: the first line of its code or command, as far as a table has room.
    /// </summary>
    public static string? FirstLine(JsonElement execution) =>
        execution.Text("firstLine") is not { } given ? null
        : TerminalText.Printable(given) is { Length: > LineLengthMax } line ? line[..LineLengthMax] + "…"
        : TerminalText.Printable(given);

    public static string Count(long count, string one, string many) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? one : many)}");
}
