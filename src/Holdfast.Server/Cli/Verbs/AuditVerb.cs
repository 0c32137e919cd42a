using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast audit</c>: who did what, newest first.</summary>
internal static class AuditVerb
{
    private const int LimitMax = 1000;

    private static readonly Option Limit = new("--limit", "N", "how many (default 100, at most 1000)");
    private static readonly Option Subject = new("--subject", "ID", "only what was done to this");
    private static readonly Option By = new("--by", "TOKEN", "only what was done with this token, by its name or id");
    private static readonly Option Operation = new("--operation", "NAME", "only this, such as ReleaseLock");
    private static readonly Option Cursor = new("--cursor", "N", "only what is older than this entry");

    public static Verb Verb =>
        new("audit", "audit [options]", "show who did what, newest first")
        {
            Options = [Limit, Subject, By, Operation, Cursor],
            RunAsync = RunAsync,
        };

    private static async Task<int> RunAsync(CliContext context, Arguments arguments)
    {
        using var client = new HoldfastClient(context, arguments);
        var query = new List<string>();
        Add(query, "limit", arguments.Integer(Limit.Name, 1, LimitMax)?.ToString(CultureInfo.InvariantCulture));
        Add(query, "cursor", arguments.Integer(Cursor.Name, 1, long.MaxValue)?.ToString(CultureInfo.InvariantCulture));
        Add(query, "subject", arguments.Text(Subject.Name));
        Add(query, "operation", arguments.Text(Operation.Name));
        Add(query, "by", arguments.Text(By.Name));
        JsonElement page = await client
            .GetAsync("v1/audit" + (query.Count > 0 ? "?" + string.Join('&', query) : ""), context.Interruption())
            .ConfigureAwait(false);
        context.Terminal.Write(Encoding.UTF8.GetBytes(arguments.IsJson ? page.Line() + "\n" : Table(context, page)));
        return ExitCodes.Success;
    }

    private static void Add(List<string> query, string name, string? value)
    {
        if (value is not null)
        {
            query.Add(name + "=" + Uri.EscapeDataString(value));
        }
    }

    private static string Table(CliContext context, JsonElement page)
    {
        var table = new TextTable("N", "WHEN", "WHO", "FROM", "WHAT", "TO", "WHY");
        foreach (JsonElement entry in page.Items("entries"))
        {
            table.Add(
                entry.Integer("sequence")?.ToString(CultureInfo.InvariantCulture),
                entry.Text("at"),
                entry.Text("tokenName"),
                entry.Text("remote"),
                entry.Text("operation"),
                entry.Text("subject"),
                entry.Text("reason")
            );
        }

        return table.Format(context.Terminal.IsOutputTerminal ? context.Terminal.Width : null);
    }
}
