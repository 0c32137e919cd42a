using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast callbacks</c>: who was told of which outcome, and sending again what was given up.</summary>
internal static class CallbacksVerb
{
    private static readonly Option State = new("--state", "STATE", "only these: waiting, pending, sending, delivered, parked, disabled");
    private static readonly Option Execution = new("--execution", "ID", "only those of this execution or run");
    private static readonly Option DryRun = new("--dry-run", "", "with redrive --state: only list what would be sent again");
    private static readonly Option Limit = new("--limit", "N", "at most so many, the newest first (default 100)");

    public static Verb Verb =>
        new("callbacks", "callbacks [ls | redrive ID... | redrive --state parked]", "list callbacks and their attempts, or send some again")
        {
            Options = [State, Execution, Limit, DryRun],
            Operands = (0, null),
            Notes = """
                A callback is asked for by `holdfast submit --callback URL`. One that could not be delivered is tried again by its schedule, and parked
                after the last attempt, or when its receiver refused it. redrive sends it at once, under the id it always had;
                redrive --state parked (or disabled) all of them, and --dry-run says first which.
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
                JsonElement list = await client.GetAsync("v1/callbacks" + Query(arguments), interruption).ConfigureAwait(false);
                context.Terminal.Write(Encoding.UTF8.GetBytes(arguments.IsJson ? list.Line() + "\n" : Table(context, list)));
                return ExitCodes.Success;
            case ["redrive"] when arguments.Text(State.Name) is { } state:
                await RedriveAllAsync(context, arguments, client, state, interruption).ConfigureAwait(false);
                return ExitCodes.Success;
            case ["redrive", _, ..] when !arguments.Has(State.Name) && !arguments.Has(DryRun.Name):
                foreach (string id in arguments.Operands.Skip(1))
                {
                    JsonElement redriven = await client
                        .SendAsync(
                            ApiRequest.Post($"v1/callbacks/{Uri.EscapeDataString(id)}/redrive") with
                            {
                                IsRepeatable = true,
                            },
                            interruption
                        )
                        .ConfigureAwait(false);
                    context.Terminal.WriteLine(arguments.IsJson ? redriven.Line() : $"{id} {redriven.Text("state")}");
                }

                return ExitCodes.Success;
            default:
                throw new UsageException("callbacks takes ls, or redrive with either ids or --state parked.");
        }
    }

    /// <summary>A page at a time, and none twice: what is given up again meanwhile waits for the next command.</summary>
    private static async Task RedriveAllAsync(
        CliContext context,
        Arguments arguments,
        HoldfastClient client,
        string state,
        CancellationToken cancellationToken
    )
    {
        bool isDryRun = arguments.Has(DryRun.Name);
        int count = 0;
        string? after = null;
        while (true)
        {
            string? last = after;
            ApiRequest request = ApiRequest.Post(
                "v1/callbacks/redrive",
                json =>
                {
                    json.WriteStartObject();
                    json.WriteString("state", state);
                    json.WriteBoolean("dryRun", isDryRun);
                    if (last is not null)
                    {
                        json.WriteString("after", last);
                    }

                    json.WriteEndObject();
                }
            );
            JsonElement page = await client.SendAsync(request with { IsRepeatable = true }, cancellationToken).ConfigureAwait(false);
            IReadOnlyList<JsonElement> ids = page.Items("callbacks");
            count += ids.Count;
            if (arguments.IsJson)
            {
                context.Terminal.WriteLine(page.Line());
            }
            else
            {
                foreach (JsonElement id in ids)
                {
                    context.Terminal.WriteLine($"{id.GetString()} {(isDryRun ? state : "pending")}");
                }
            }

            if (ids.Count == 0 || page.Boolean("more") != true)
            {
                break;
            }

            after = ids[^1].GetString();
        }

        if (!arguments.IsJson)
        {
            string all = Sentences.Count(count, "callback", "callbacks");
            context.Terminal.WriteLine(isDryRun ? $"{all} would be sent again." : $"{all} will be sent again now.");
        }
    }

    private static string Query(Arguments arguments)
    {
        var parts = new List<string>();
        Add("state", arguments.Text(State.Name));
        Add("executionId", arguments.Text(Execution.Name));
        Add("limit", arguments.Integer(Limit.Name, 1, 1000)?.ToString(CultureInfo.InvariantCulture));
        return parts.Count == 0 ? "" : "?" + string.Join('&', parts);

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                parts.Add($"{name}={Uri.EscapeDataString(value)}");
            }
        }
    }

    private static string Table(CliContext context, JsonElement list)
    {
        var table = new TextTable("CALLBACK", "OF", "STATE", "ATTEMPTS", "STATUS", "TO", "REASON");
        foreach (JsonElement callback in list.EnumerateArray())
        {
            IReadOnlyList<JsonElement> attempts = callback.Items("attempts");
            table.Add(
                callback.Text("id"),
                callback.Text("executionId") ?? callback.Text("runId"),
                callback.Text("state"),
                (attempts.Count == 0 ? 0 : attempts[^1].Integer("number"))?.ToString(CultureInfo.InvariantCulture),
                attempts.Count == 0 ? null : attempts[^1].Integer("status")?.ToString(CultureInfo.InvariantCulture),
                callback.Text("url") ?? string.Join(' ', callback.Items("argv").Select(static a => a.GetString())),
                callback.Text("redrivenAt") is { } at
                    ? $"redriven at {at}{(callback.Text("redrivenBy") is { } by ? " by " + by : "")}; {callback.Text("reason")}"
                    : callback.Text("reason")
            );
        }

        return table.Format(context.Terminal.IsOutputTerminal ? context.Terminal.Width : null);
    }
}
