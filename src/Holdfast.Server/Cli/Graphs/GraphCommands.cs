using System.Text;
using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Graphs;

/// <summary>`holdfast notebook graph`, `check` and `mode`.</summary>
internal static class GraphCommands
{
    public static readonly Option Format = new("--format", "text|dot|mermaid", "for graph: how it is shown");
    public static readonly Option Strict = new("--strict", "", "for check: notes count as errors");
    public static readonly Option Autorun = new("--autorun", "", "for mode: an edit runs what it made stale");
    public static readonly Option Lazy = new("--lazy", "", "for mode: an edit only marks what is stale");

    public static async Task<int> GraphAsync(CliContext context, Arguments arguments)
    {
        Func<JsonElement, string> show = arguments.Text(Format.Name) switch
        {
            null or "text" => GraphText.Plain,
            "dot" => GraphText.Dot,
            "mermaid" => GraphText.Mermaid,
            { } other => throw new UsageException($"--format may be text, dot or mermaid, and not {other}."),
        };
        JsonElement graph = await ReadAsync(context, arguments).ConfigureAwait(false);
        Write(context, arguments.IsJson ? graph.Line() + "\n" : show(graph));
        return ExitCodes.Success;
    }

    /// <summary>Of several notebooks each is looked at, also when one cannot be read.</summary>
    public static async Task<int> CheckAsync(CliContext context, Arguments arguments)
    {
        CancellationToken interruption = context.Interruption();
        using HoldfastClient client = await Contact.OpenOrStartAsync(context, arguments, interruption).ConfigureAwait(false);
        bool isOne = arguments.Operands.Count == 2;
        int code = ExitCodes.Success;
        foreach (string notebook in arguments.Operands.Skip(1))
        {
            try
            {
                JsonElement graph = await client
                    .GetAsync($"v1/notebooks/graph?path={PathOf(context, notebook, client)}", interruption)
                    .ConfigureAwait(false);
                List<string> errors = GraphFindings.Errors(graph);
                List<string> notes = GraphFindings.Notes(graph);
                Write(
                    context,
                    arguments.IsJson
                        ? JsonOf(notebook, errors, notes)
                        : TextOf(isOne ? "" : notebook + ": ", graph.Items("cells").Count, errors, notes)
                );
                if (!arguments.IsJson && errors.Count > 0 && graph.Text("mode") == "linear")
                {
                    Write(
                        context,
                        $"The notebook is linear; 'holdfast notebook convert {notebook}' says what of this is mended by renaming.\n"
                    );
                }

                code = errors.Count > 0 || (arguments.Has(Strict.Name) && notes.Count > 0) ? ExitCodes.Refused : code;
            }
            catch (RefusedException refused) when (!isOne && refused.Code.StartsWith("notebook-", StringComparison.Ordinal))
            {
                string why = $"{TerminalText.Printable(refused.Message)} [{refused.Code}]";
                Write(context, arguments.IsJson ? JsonOf(notebook, [why], []) : $"error  {notebook}: {why}\n");
                code = ExitCodes.Refused;
            }
        }

        return code;
    }

    private static string TextOf(string prefix, int cells, List<string> errors, List<string> notes) =>
        string.Concat(
            errors
                .Select(e => $"error  {prefix}{e}\n")
                .Concat(notes.Select(n => $"note   {prefix}{n}\n"))
                .Append(
                    $"{prefix}{Sentences.Count(cells, "cell", "cells")}, {Sentences.Count(errors.Count, "error", "errors")}, {Sentences.Count(notes.Count, "note", "notes")}\n"
                )
        );

    private static string JsonOf(string notebook, List<string> errors, List<string> notes) =>
        Encoding.UTF8.GetString(
            JsonFields.Write(writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("path", notebook);
                WriteAll(writer, "errors", errors);
                WriteAll(writer, "notes", notes);
                writer.WriteEndObject();
            })
        ) + "\n";

    public static async Task<int> ModeAsync(CliContext context, Arguments arguments)
    {
        string? mode = arguments.Operands.Count > 2 ? arguments.Operands[2] : null;
        if (arguments.Operands.Count > 3 || mode is not (null or "reactive" or "linear"))
        {
            throw new UsageException("notebook mode takes PATH and reactive or linear.");
        }

        CancellationToken interruption = context.Interruption();
        using HoldfastClient client = await Contact.OpenOrStartAsync(context, arguments, interruption).ConfigureAwait(false);
        var request = new ApiRequest(HttpMethod.Patch, $"v1/notebooks?path={PathOf(context, arguments.Operands[1], client)}")
        {
            IsRepeatable = true,
            Body = JsonFields.Write(writer =>
            {
                writer.WriteStartObject();
                if (mode is not null)
                {
                    writer.WriteString("mode", mode);
                }

                if (arguments.Has(Autorun.Name) || arguments.Has(Lazy.Name))
                {
                    writer.WriteBoolean("autorun", arguments.Has(Autorun.Name));
                }

                writer.WriteEndObject();
            }),
        };
        JsonElement now = await client.SendAsync(request, interruption).ConfigureAwait(false);
        context.Terminal.WriteLine(
            arguments.IsJson ? now.Line() : $"{now.Text("mode")}, {(now.Boolean("autorun") == true ? "autorun" : "lazy")}"
        );
        return ExitCodes.Success;
    }

    /// <summary>`disable` and `enable`: a line for each cell.</summary>
    public static async Task<int> SwitchAsync(CliContext context, Arguments arguments, bool isDisabled)
    {
        if (arguments.Operands.Count < 3)
        {
            throw new UsageException($"notebook {arguments.Operands[0]} takes PATH and the ids of cells.");
        }

        CancellationToken interruption = context.Interruption();
        using HoldfastClient client = await Contact.OpenOrStartAsync(context, arguments, interruption).ConfigureAwait(false);
        foreach (string cell in arguments.Operands.Skip(2))
        {
            var request = new ApiRequest(
                HttpMethod.Patch,
                $"v1/notebooks/cells?path={PathOf(context, arguments.Operands[1], client)}&cellId={Uri.EscapeDataString(cell)}"
            )
            {
                IsRepeatable = true,
                Body = JsonFields.Write(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteBoolean("disabled", isDisabled);
                    writer.WriteEndObject();
                }),
            };
            JsonElement now = await client.SendAsync(request, interruption).ConfigureAwait(false);
            context.Terminal.WriteLine(arguments.IsJson ? now.Line() : $"{TerminalText.Printable(cell)} {now.Text("state")}");
        }

        return ExitCodes.Success;
    }

    private static async Task<JsonElement> ReadAsync(CliContext context, Arguments arguments)
    {
        CancellationToken interruption = context.Interruption();
        using HoldfastClient client = await Contact.OpenOrStartAsync(context, arguments, interruption).ConfigureAwait(false);
        return await client
            .GetAsync($"v1/notebooks/graph?path={PathOf(context, arguments.Operands[1], client)}", interruption)
            .ConfigureAwait(false);
    }

    private static string PathOf(CliContext context, string notebook, HoldfastClient client) =>
        Uri.EscapeDataString(client.IsLocal ? Path.GetFullPath(notebook, context.CurrentDirectory) : notebook);

    private static void Write(CliContext context, string text) =>
        context.Terminal.Write(Encoding.UTF8.GetBytes(TerminalText.PrintableLines(text)));

    private static void WriteAll(Utf8JsonWriter writer, string property, List<string> items)
    {
        writer.WriteStartArray(property);
        items.ForEach(writer.WriteStringValue);
        writer.WriteEndArray();
    }
}
