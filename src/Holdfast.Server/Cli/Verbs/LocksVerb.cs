using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast locks</c>: who holds which lock and who waits for it, and release by hand.</summary>
internal static class LocksVerb
{
    private static readonly Option Reason = new("--reason", "TEXT", "for release: why; it is kept");

    public static Verb Verb =>
        new("locks", "locks [ls | release NAME --reason TEXT]", "list locks and their waiting lines, or take one from its holder")
        {
            Options = [Reason],
            Operands = (0, 2),
            Notes = """
                A lock is held until its job ends, however that ends. release is for the case that a person knows better: the holder is not
                stopped, and the next in line starts.
                """,
            RunAsync = RunAsync,
        };

    private static async Task<int> RunAsync(CliContext context, Arguments arguments)
    {
        CancellationToken interruption = context.Interruption();
        using var client = new HoldfastClient(context, arguments);
        switch (arguments.Operands)
        {
            case [] or ["ls"]:
                JsonElement list = await client.GetAsync("v1/locks", interruption).ConfigureAwait(false);
                context.Terminal.Write(Encoding.UTF8.GetBytes(arguments.IsJson ? list.Line() + "\n" : Table(context, list)));
                return ExitCodes.Success;
            case ["release", var name]:
                string reason =
                    arguments.Text(Reason.Name)
                    ?? throw new UsageException("locks release needs --reason TEXT: the lock is taken from work that may still run.");
                JsonElement released = await client
                    .SendAsync(
                        ApiRequest.Post(
                            "v1/locks/release",
                            json =>
                            {
                                json.WriteStartObject();
                                json.WriteString("name", name);
                                json.WriteString("reason", reason);
                                json.WriteEndObject();
                            }
                        ),
                        interruption
                    )
                    .ConfigureAwait(false);
                context.Terminal.WriteLine(
                    arguments.IsJson ? released.Line() : $"{released.Text("name")} released from {released.Text("holder")}"
                );
                return ExitCodes.Success;
            default:
                throw new UsageException("locks takes ls, or release NAME --reason TEXT.");
        }
    }

    private static string Table(CliContext context, JsonElement list)
    {
        var table = new TextTable("LOCK", "HOLDER", "FENCE", "WAITING", "NEXT");
        foreach (JsonElement line in list.EnumerateArray())
        {
            IReadOnlyList<JsonElement> waiting = line.Items("waiting");
            table.Add(
                line.Text("name"),
                line.Text("holder"),
                line.Integer("fence")?.ToString(CultureInfo.InvariantCulture),
                waiting.Count.ToString(CultureInfo.InvariantCulture),
                waiting.Count > 0 ? waiting[0].GetString() : null
            );
        }

        return table.Format(context.Terminal.IsOutputTerminal ? context.Terminal.Width : null);
    }
}
