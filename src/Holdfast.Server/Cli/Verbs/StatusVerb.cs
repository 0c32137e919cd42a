using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast status</c>: everything known of one execution or run.</summary>
internal static class StatusVerb
{
    private const int LabelWidth = 12;

    public static Verb Verb =>
        new("status", "status ID...", "show how an execution or a notebook run stands") { Operands = (1, null), RunAsync = ShowAsync };

    private static async Task<int> ShowAsync(CliContext context, Arguments arguments)
    {
        CancellationToken interruption = context.Interruption();
        using var client = new HoldfastClient(context, arguments);
        bool isFirst = true;
        foreach (string id in arguments.Operands)
        {
            Work work = await Work.GetAsync(client, id, interruption).ConfigureAwait(false);
            context.Terminal.WriteLine(
                arguments.IsJson
                    ? work.Answer.Line()
                    : (isFirst ? "" : "\n") + (work.IsRun ? OfRun(context, work.Answer) : OfExecution(context, work.Answer))
            );
            isFirst = false;
        }

        return ExitCodes.Success;
    }

    private static string OfExecution(CliContext context, JsonElement execution)
    {
        var text = new StringBuilder();
        Row(text, "id", execution.Text("id"));
        Row(text, "kind", execution.Text("kind"));
        Row(text, "name", execution.Text("name"));
        Row(text, "state", Sentences.State(execution));
        Row(text, "reason", execution.Text("reason"));
        Row(
            text,
            "waits for",
            execution.Items("waitsFor") is { Count: > 0 } locks
                ? string.Join(", ", locks.Select(static l => l.GetString())) + " (see `holdfast locks`)"
                : null
        );
        Row(text, "blocked by", execution.Text("blockedBy"));
        Row(text, "place", execution.Integer("queuePosition")?.ToString(CultureInfo.InvariantCulture));
        Row(
            text,
            "supervisor",
            execution.Text("supervisor") is { } health and not "fresh" ? health + " (see `holdfast supervisors`)" : null
        );
        Row(text, "stalled", execution.Text("stalled"));
        Row(text, "run", execution.Text("runId"));
        Row(text, "cell", execution.Text("cellId"));
        Row(text, "kernel", execution.Text("kernelId"));
        Row(text, execution.Text("kind") == "job" ? "command" : "code", Sentences.FirstLine(execution));
        Row(text, "queue", execution.Text("queue"));
        Row(text, "labels", Labels(execution));
        Row(text, "attempt", execution.Integer("attempt")?.ToString(CultureInfo.InvariantCulture));
        Times(context, text, execution);
        Row(text, "output", execution.Integer("outputBytes") is { } bytes ? Sentences.Count(bytes, "byte", "bytes") : null);
        return text.ToString().TrimEnd();
    }

    private static string OfRun(CliContext context, JsonElement run)
    {
        var text = new StringBuilder();
        Row(text, "run", run.Text("id"));
        Row(text, "path", run.Text("path"));
        Row(text, "state", run.Text("state"));
        Row(text, "reason", run.Text("reason"));
        Row(text, "kernel", run.Text("kernelId"));
        Times(context, text, run);
        var cells = new TextTable("CELL", "ID", "EXECUTION", "STATE", "TIME", "REASON");
        foreach (JsonElement cell in run.Items("cells"))
        {
            cells.Add(
                cell.Integer("index")?.ToString(CultureInfo.InvariantCulture),
                cell.Text("cellId"),
                cell.Text("executionId"),
                cell.Text("state"),
                Ages.DurationText(cell, context.Time),
                cell.Text("reason")
            );
        }

        return text.Append('\n')
            .Append(cells.Format(context.Terminal.IsOutputTerminal ? context.Terminal.Width : null))
            .ToString()
            .TrimEnd();
    }

    private static void Times(CliContext context, StringBuilder text, JsonElement work)
    {
        Row(text, "created", Time(work, "createdAt"));
        Row(text, "started", Time(work, "startedAt"));
        Row(text, "finished", Time(work, "finishedAt"));
        Row(text, "time", Ages.DurationText(work, context.Time));
    }

    private static string? Time(JsonElement work, string field) =>
        work.Instant(field)?.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss.fff zzz", CultureInfo.InvariantCulture);

    private static string? Labels(JsonElement execution)
    {
        if (execution.Field("labels") is not { ValueKind: JsonValueKind.Object } labels)
        {
            return null;
        }

        return string.Join(
            ' ',
            labels
                .EnumerateObject()
                .Select(l =>
                    l.Value.ValueKind == JsonValueKind.String && l.Value.GetString() is { Length: > 0 } value ? $"{l.Name}={value}" : l.Name
                )
        );
    }

    private static void Row(StringBuilder text, string label, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            _ = text.Append(label.PadRight(LabelWidth)).Append(TerminalText.Printable(value)).Append('\n');
        }
    }
}
