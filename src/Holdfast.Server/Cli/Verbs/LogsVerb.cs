using System.Text;
using System.Text.Json;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast logs</c>: an execution's output, from any byte, to its end if asked.</summary>
internal static class LogsVerb
{
    private static readonly Option Follow = new("--follow", "", "go on until it ends, through the server's death and return")
    {
        Short = "-f",
    };
    private static readonly Option Offset = new("--offset", "N", "begin at this byte");
    public static readonly Option Stream = new("--stream", "stdout|stderr|all", "which output (default all, in the order it was written)");

    public static Verb Verb =>
        new("logs", "logs ID [-f] [options]", "print what an execution has written")
        {
            Options = [Follow, Offset, Stream],
            Operands = (1, 1),
            Notes = """
                The bytes are the command's own, unchanged. With --json, a line each: {"offset","nextOffset","data"} with the data in base64; with -f a
                last line {"end": execution}. The exit code does not tell of the command: that is what `holdfast wait` and `attach` do.
                """,
            RunAsync = PrintAsync,
        };

    public static string StreamOf(Arguments arguments) => arguments.Choice(Stream.Name, "stdout", "stderr", "all") ?? "all";

    /// <summary>Where output goes: as it is, or wrapped in JSON.</summary>
    public static Action<ReadOnlyMemory<byte>, long> Sink(CliContext context, Arguments arguments) =>
        arguments.IsJson
            ? (bytes, offset) =>
                context.Terminal.WriteLine(
                    Encoding.UTF8.GetString(
                        JsonFields.Write(json =>
                        {
                            json.WriteStartObject();
                            json.WriteNumber("offset", offset);
                            json.WriteNumber("nextOffset", offset + bytes.Length);
                            json.WriteBase64String("data", bytes.Span);
                            json.WriteEndObject();
                        })
                    )
                )
            : (bytes, _) => context.Terminal.Write(bytes.Span);

    public static void WriteEnd(CliContext context, JsonElement execution) =>
        context.Terminal.WriteLine($$"""{"end":{{execution.Line()}}}""");

    private static async Task<int> PrintAsync(CliContext context, Arguments arguments)
    {
        CancellationToken interruption = context.Interruption();
        string id = arguments.Operands[0];
        using var client = new HoldfastClient(context, arguments);
        client.BePatient();
        var output = new OutputReader(
            client,
            context.Time,
            Work.Segment(id),
            StreamOf(arguments),
            arguments.Integer(Offset.Name, 0, long.MaxValue) ?? 0
        )
        {
            OnBytes = Sink(context, arguments),
            OnNotice = notice => context.Terminal.WriteErrorLine($"holdfast: {TerminalText.Printable(notice)}"),
        };
        try
        {
            if (!arguments.Has(Follow.Name))
            {
                _ = await output.CopyPresentAsync(interruption).ConfigureAwait(false);
                return ExitCodes.Success;
            }

            JsonElement execution = await output.FollowAsync(interruption).ConfigureAwait(false);
            if (arguments.IsJson)
            {
                WriteEnd(context, execution);
            }

            return ExitCodes.Success;
        }
        finally
        {
            context.ComeBack = System.FormattableString.Invariant($"holdfast logs {id} -f --offset {output.Offset}");
        }
    }
}
