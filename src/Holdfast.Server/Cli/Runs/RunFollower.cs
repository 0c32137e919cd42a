using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;

namespace Holdfast.Server.Cli.Runs;

/// <summary>
/// Goes through a run's cells in their order, each until it has ended, and then waits for the run itself. It asks about executions, which
/// are durable, and keeps no state between two of them: a server that dies on the way costs nothing but time.
/// </summary>
internal sealed class RunFollower(CliContext context, HoldfastClient client, RunScreen? screen, bool showsOutput)
{
    public async Task<JsonElement> FollowAsync(JsonElement run, CancellationToken cancellationToken)
    {
        IReadOnlyList<JsonElement> cells = run.Items("cells");
        int idWidth = cells.Count == 0 ? 0 : cells.Max(c => c.Text("cellId")?.Length ?? 0);
        for (int i = 0; screen is not null && i < cells.Count; i++)
        {
            string id = TerminalText.Printable(cells[i].Text("cellId") ?? "-").PadRight(idWidth);
            string label = string.Create(
                CultureInfo.InvariantCulture,
                $"[{(i + 1).ToString(CultureInfo.InvariantCulture).PadLeft(Digits(cells.Count))}/{cells.Count}] {id}"
            );
            screen.Begin(label);
            JsonElement execution = await FollowCellAsync(cells[i].Text("executionId") ?? "", cancellationToken).ConfigureAwait(false);
            if (execution.Instant("startedAt") is not null || execution.Text("state") != "cancelled")
            {
                screen.WriteLine(Line(label, execution));
            }
        }

        var work = new Work(run.Text("id") ?? "", IsRun: true, run);
        return (await work.WaitAsync(client, cancellationToken).ConfigureAwait(false)).Answer;
    }

    /// <summary>The lines at the end: where the results are, how many cells did what, how long it took.</summary>
    public static string Summary(JsonElement run, TimeProvider time)
    {
        var text = new StringBuilder();
        if (run.Text("state") is not "succeeded" && run.Text("reason") is { Length: > 0 } reason)
        {
            _ = text.Append(TerminalText.PrintableLines(reason).TrimEnd()).Append('\n');
        }

        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (JsonElement cell in run.Items("cells"))
        {
            string state =
                cell.Text("state") is "cancelled" && cell.Instant("startedAt") is null ? "not run" : cell.Text("state") ?? "unknown";
            counts[state] = counts.GetValueOrDefault(state) + 1;
        }

        string numbers = string.Join(", ", counts.Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Value} {c.Key}")));
        return text.Append(run.Text("path"))
            .Append(": ")
            .Append(run.Text("state"))
            .Append(numbers.Length == 0 ? " (no cells)" : $" ({numbers})")
            .Append(" in ")
            .Append(Ages.DurationText(run, time))
            .ToString();
    }

    private async Task<JsonElement> FollowCellAsync(string id, CancellationToken cancellationToken)
    {
        if (!showsOutput)
        {
            return (await new Work(id, IsRun: false, default).WaitAsync(client, cancellationToken).ConfigureAwait(false)).Answer;
        }

        var output = new OutputReader(client, context.Time, Work.Segment(id), "all", 0)
        {
            OnBytes = (bytes, _) => screen!.Write(bytes.Span),
            OnNotice = notice => screen!.WriteLine($"holdfast: {TerminalText.Printable(notice)}"),
        };
        return await output.FollowFreshAsync(cancellationToken).ConfigureAwait(false);
    }

    private string Line(string label, JsonElement execution)
    {
        string line = $"{label} {execution.Text("state")}";
        line = Ages.DurationText(execution, context.Time) is { } duration ? $"{line} {duration}" : line;
        return execution.Text("state") is not "succeeded" && execution.Text("reason") is { Length: > 0 } reason
            ? $"{line}: {FirstLine(reason)}"
            : line;
    }

    private static string FirstLine(string text) => TerminalText.Printable(text.Split('\n', 2)[0]);

    private static int Digits(int count) => count.ToString(CultureInfo.InvariantCulture).Length;
}
