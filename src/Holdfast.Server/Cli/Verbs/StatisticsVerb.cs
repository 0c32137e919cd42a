using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast statistics</c>: how many executions ended how, and how long they took.</summary>
internal static class StatisticsVerb
{
    public static Verb Verb =>
        new("statistics", "statistics", "show how many executions ended how, and how long they took")
        {
            Notes = "Since the data directory was made, those that are no longer kept among them. Percentiles are known to a power of two.",
            RunAsync = ShowAsync,
        };

    private static async Task<int> ShowAsync(CliContext context, Arguments arguments)
    {
        using var client = new HoldfastClient(context, arguments);
        JsonElement answer = await client.GetAsync("v1/statistics", context.Interruption()).ConfigureAwait(false);
        context.Terminal.Write(Encoding.UTF8.GetBytes(arguments.IsJson ? answer.Line() + "\n" : Table(context, answer)));
        return ExitCodes.Success;
    }

    private static string Table(CliContext context, JsonElement answer)
    {
        var table = new TextTable("KIND", "STATE", "COUNT", "TIME", "HALF TOOK", "90 % TOOK", "99 % TOOK");
        foreach (JsonElement one in answer.Items("executions"))
        {
            table.Add(
                one.Text("kind"),
                one.Text("state"),
                one.Integer("count")?.ToString(CultureInfo.InvariantCulture),
                Seconds(one, "seconds"),
                AtMost(one, "p50Seconds"),
                AtMost(one, "p90Seconds"),
                AtMost(one, "p99Seconds")
            );
        }

        return table.Format(context.Terminal.IsOutputTerminal ? context.Terminal.Width : null);
    }

    private static string? AtMost(JsonElement one, string field) => Seconds(one, field) is { } time ? "up to " + time : null;

    private static string? Seconds(JsonElement one, string field) =>
        one.Field(field) is { ValueKind: JsonValueKind.Number } number
            ? Durations.FormatFine(TimeSpan.FromSeconds(number.GetDouble()))
            : null;
}
