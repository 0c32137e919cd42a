using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Engine.Executions;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast ls</c>: executions, newest first.</summary>
internal static class ListVerb
{
    private const int UsualLimit = 20;
    private const int LimitMax = 100_000;
    private const int PageSize = 200;

    private static readonly Option State = new("--state", "STATE", "only those in this state: running, queued, failed, ...");
    private static readonly Option Kind = new("--kind", "KIND", "only jobs, or only cells: job, cell");
    private static readonly Option Label = new("--label", "KEY[=VALUE]", "only those with this label");
    private static readonly Option Limit = new("--limit", "N", "how many at most (default 20)") { Short = "-n" };

    public static Verb Verb =>
        new("ls", "ls [options]", "list executions, newest first") { Options = [State, Kind, Label, Limit], RunAsync = ListAsync };

    private static async Task<int> ListAsync(CliContext context, Arguments arguments)
    {
        CancellationToken interruption = context.Interruption();
        using var client = new HoldfastClient(context, arguments);
        int limit = (int)(arguments.Integer(Limit.Name, 1, LimitMax) ?? UsualLimit);
        string filter =
            Query("state", arguments.Choice(State.Name, [.. ExecutionStates.All]))
            + Query("kind", arguments.Choice(Kind.Name, "job", "cell"))
            + Query("label", arguments.Text(Label.Name));
        var executions = new List<JsonElement>();
        string? cursor = null;
        do
        {
            string path = string.Create(
                CultureInfo.InvariantCulture,
                $"v1/executions?limit={Math.Min(limit - executions.Count, PageSize)}{filter}{Query("cursor", cursor)}"
            );
            JsonElement page = await client.GetAsync(path, interruption).ConfigureAwait(false);
            executions.AddRange(page.Items("executions"));
            cursor = page.Text("next");
        } while (cursor is not null && executions.Count < limit);

        if (arguments.IsJson)
        {
            context.Terminal.WriteLine(Json(executions, cursor));
            return ExitCodes.Success;
        }

        context.Terminal.Write(Encoding.UTF8.GetBytes(Table(context, executions)));
        if (cursor is not null && context.Terminal.IsOutputTerminal)
        {
            context.Terminal.WriteErrorLine("holdfast: there are more; --limit shows them");
        }

        return ExitCodes.Success;
    }

    private static string Table(CliContext context, List<JsonElement> executions)
    {
        var table = new TextTable("ID", "STATE", "KIND", "EXIT", "AGE", "TIME", "NAME");
        foreach (JsonElement execution in executions)
        {
            string? exit =
                execution.Integer("exitCode")?.ToString(CultureInfo.InvariantCulture)
                ?? (execution.Integer("signal") is { } signal ? string.Create(CultureInfo.InvariantCulture, $"sig {signal}") : null);
            table.Add(
                execution.Text("id"),
                execution.Text("state"),
                execution.Text("kind"),
                exit,
                Ages.SinceText(execution, "createdAt", context.Time),
                Ages.DurationText(execution, context.Time),
                execution.Text("name") ?? Sentences.FirstLine(execution) ?? execution.Text("cellId")
            );
        }

        return table.Format(context.Terminal.IsOutputTerminal ? context.Terminal.Width : null);
    }

    private static string Json(List<JsonElement> executions, string? cursor) =>
        Encoding.UTF8.GetString(
            JsonFields.Write(json =>
            {
                json.WriteStartObject();
                json.WriteStartArray("executions");
                foreach (JsonElement execution in executions)
                {
                    execution.WriteTo(json);
                }

                json.WriteEndArray();
                json.WriteString("next", cursor);
                json.WriteEndObject();
            })
        );

    private static string Query(string name, string? value) => value is null ? "" : $"&{name}={Uri.EscapeDataString(value)}";
}
