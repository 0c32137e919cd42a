using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast supervisors</c>: who supervises what, and how it stands.</summary>
internal static class SupervisorsVerb
{
    public static Verb Verb =>
        new("supervisors", "supervisors", "list the supervisors of running work, and whether they are fresh, stale or dead")
        {
            Notes = """
                fresh: it sleeps in its loop, or answered when it was asked. stale: it holds its lock, but is stopped, starved or not to be reached;
                its work goes on as far as it can, and it is never ended for its silence. dead: its lock is free, which is the only proof there is.
                """,
            RunAsync = ListAsync,
        };

    private static async Task<int> ListAsync(CliContext context, Arguments arguments)
    {
        using var client = new HoldfastClient(context, arguments);
        JsonElement answer = await client.GetAsync("v1/supervisors", context.Interruption()).ConfigureAwait(false);
        context.Terminal.Write(Encoding.UTF8.GetBytes(arguments.IsJson ? answer.Line() + "\n" : Table(context, answer)));
        return ExitCodes.Success;
    }

    private static string Table(CliContext context, JsonElement answer)
    {
        var table = new TextTable("PID", "OF", "LIVENESS", "REASON", "CHILD");
        foreach (JsonElement one in answer.Items("supervisors"))
        {
            string of = one.Text("executionId") is { } execution ? $"job {execution}" : $"kernel {one.Text("kernelId")}";
            string? reason = one.Text("stallReason") is { } stall ? $"its journal cannot be written: {stall}" : one.Text("reason");
            table.Add(Number(one, "pid"), of, one.Text("liveness"), reason, Number(one, "childPid"));
        }

        return table.Format(context.Terminal.IsOutputTerminal ? context.Terminal.Width : null);
    }

    private static string? Number(JsonElement one, string field) => one.Integer(field)?.ToString(CultureInfo.InvariantCulture);
}
