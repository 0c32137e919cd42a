using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast recovery</c>: what the server found when it last started.</summary>
internal static class RecoveryVerb
{
    private static readonly string[] Verdicts = ["readopted", "ended", "requeued", "lost", "quarantined"];

    public static Verb Verb => new("recovery", "recovery", "show what the server found when it started: work re-adopted, ended meanwhile, lost")
    {
        RunAsync = ShowAsync,
    };

    private static async Task<int> ShowAsync(CliContext context, Arguments arguments)
    {
        using var client = new HoldfastClient(context, arguments);
        JsonElement report = await client.GetAsync("v1/recovery", context.Interruption()).ConfigureAwait(false);
        context.Terminal.Write(Encoding.UTF8.GetBytes(arguments.IsJson ? report.Line() + "\n" : Text(context, report)));
        return ExitCodes.Success;
    }

    private static string Text(CliContext context, JsonElement report)
    {
        int? width = context.Terminal.IsOutputTerminal ? context.Terminal.Width : null;
        var counts = new List<string>();
        foreach (string verdict in Verdicts)
        {
            if (report.Integer(verdict) is > 0 and var count)
            {
                counts.Add(string.Create(CultureInfo.InvariantCulture, $"{count} {verdict}"));
            }
        }

        long found = report.Integer("found") ?? 0;
        StringBuilder text = new StringBuilder(report.Boolean("complete") == true ? "Recovered in" : "Recovering since").Append(' ')
            .Append(Milliseconds(report)).Append(": ").Append(Sentences.Count(found, "open attempt", "open attempts"))
            .Append(counts.Count == 0 ? "" : $" ({string.Join(", ", counts)})")
            .Append(", ").Append(Sentences.Count(report.Integer("queued") ?? 0, "execution", "executions")).Append(" in line\n\n");
        var phases = new TextTable("PHASE", "TIME", "FOUND", "PROBLEM");
        foreach (JsonElement phase in report.Items("phases"))
        {
            phases.Add(phase.Text("name"), Milliseconds(phase), phase.Integer("found")?.ToString(CultureInfo.InvariantCulture), phase.Text("problem"));
        }

        _ = text.Append(phases.Format(width));
        if (report.Items("attempts") is { Count: > 0 } attempts)
        {
            var table = new TextTable("VERDICT", "WORK", "ATTEMPT", "REASON");
            foreach (JsonElement attempt in attempts)
            {
                table.Add(attempt.Text("verdict"), attempt.Text("executionId") ?? attempt.Text("kernelId"), attempt.Text("attempt"), attempt.Text("reason"));
            }

            _ = text.Append('\n').Append(table.Format(width));
        }

        return text.ToString();
    }

    private static string Milliseconds(JsonElement element) =>
        element.Field("milliseconds") is { ValueKind: JsonValueKind.Number } number ? string.Create(CultureInfo.InvariantCulture, $"{number.GetDouble():0.#} ms") : "-";
}
