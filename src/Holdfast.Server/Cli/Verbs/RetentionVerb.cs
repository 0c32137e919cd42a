using System.Text;
using System.Text.Json;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast retention</c>: how long what is over is kept, and its deletion now instead of within the hour.</summary>
internal static class RetentionVerb
{
    private static readonly (string Field, string What, string Zero)[] Kept =
    [
        ("executionsSeconds", "executions, runs and kernels that have ended, with their callbacks", "for ever"),
        ("outputSeconds", "what they said", "as long as the execution"),
        ("eventsSeconds", "events of the feed", "for ever"),
        ("compressAfterSeconds", "what they said is compressed after", "never"),
    ];

    public static Verb Verb =>
        new("retention", "retention [apply]", "show how long what is over is kept, or delete now what is older")
        {
            Operands = (0, 1),
            Notes = """
                What is older than is kept goes by itself, looked for once an hour; apply does it now. What runs or waits is never touched, nor what something
                refers to that does. How long is said by the options --keep-... of serve.
                """,
            RunAsync = RunAsync,
        };

    private static async Task<int> RunAsync(CliContext context, Arguments arguments)
    {
        using var client = new HoldfastClient(context, arguments);
        bool isApplied = arguments.Operands switch
        {
            [] => false,
            ["apply"] => true,
            _ => throw new UsageException("retention takes nothing, or apply."),
        };
        JsonElement answer = await client
            .SendAsync(
                isApplied
                    ? ApiRequest.Post("v1/retention") with
                    {
                        ServerTime = TimeSpan.FromMinutes(10),
                        IsRepeatable = true,
                    }
                    : ApiRequest.Get("v1/retention"),
                context.Interruption()
            )
            .ConfigureAwait(false);
        context.Terminal.Write(
            Encoding.UTF8.GetBytes(
                arguments.IsJson ? answer.Line() + "\n"
                : isApplied ? Deleted(answer)
                : Table(context, answer)
            )
        );
        return ExitCodes.Success;
    }

    private static string Table(CliContext context, JsonElement answer)
    {
        var table = new TextTable("KEPT", "FOR");
        foreach ((string field, string what, string zero) in Kept)
        {
            table.Add(
                what,
                answer.Integer(field) is { } seconds
                    ? seconds == 0
                        ? zero
                        : Durations.FormatRound(TimeSpan.FromSeconds(seconds))
                    : null
            );
        }

        return table.Format(context.Terminal.IsOutputTerminal ? context.Terminal.Width : null);
    }

    private static string Deleted(JsonElement answer)
    {
        string[] counts =
        [
            .. answer
                .EnumerateObject()
                .Where(static p => p.Value.ValueKind == JsonValueKind.Number && p.Value.GetInt64() > 0)
                .Select(static p => Sentences.Count(p.Value.GetInt64(), p.Name.TrimEnd('s'), p.Name)),
        ];
        return counts.Length == 0 ? "Nothing is older than is kept.\n" : $"Deleted {string.Join(", ", counts)}.\n";
    }
}
