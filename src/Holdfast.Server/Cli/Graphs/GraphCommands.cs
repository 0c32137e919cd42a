using System.Text;
using System.Text.Json;
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

    public static async Task<int> CheckAsync(CliContext context, Arguments arguments)
    {
        JsonElement graph = await ReadAsync(context, arguments).ConfigureAwait(false);
        List<string> errors = GraphFindings.Errors(graph);
        List<string> notes = GraphFindings.Notes(graph);
        if (arguments.IsJson)
        {
            Write(context, Encoding.UTF8.GetString(JsonFields.Write(writer =>
            {
                writer.WriteStartObject();
                WriteAll(writer, "errors", errors);
                WriteAll(writer, "notes", notes);
                writer.WriteEndObject();
            })) + "\n");
        }
        else
        {
            int cells = graph.Items("cells").Count;
            errors.ForEach(e => Write(context, $"error  {e}\n"));
            notes.ForEach(n => Write(context, $"note   {n}\n"));
            Write(context, $"{cells} cells, {errors.Count} errors, {notes.Count} notes\n");
        }

        return errors.Count > 0 || (arguments.Has(Strict.Name) && notes.Count > 0) ? ExitCodes.Refused : ExitCodes.Success;
    }

    public static async Task<int> ModeAsync(CliContext context, Arguments arguments)
    {
        string? mode = arguments.Operands.Count > 2 ? arguments.Operands[2] : null;
        if (mode is not (null or "reactive" or "linear"))
        {
            throw new UsageException("notebook mode takes PATH and reactive or linear.");
        }

        CancellationToken interruption = context.Interruption();
        using HoldfastClient client = await Contact.OpenOrStartAsync(context, arguments, interruption).ConfigureAwait(false);
        var request = new ApiRequest(HttpMethod.Patch, $"v1/notebooks?path={PathOf(context, arguments, client)}")
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
        context.Terminal.WriteLine(arguments.IsJson ? now.Line() : $"{now.Text("mode")}, {(now.Boolean("autorun") == true ? "autorun" : "lazy")}");
        return ExitCodes.Success;
    }

    private static async Task<JsonElement> ReadAsync(CliContext context, Arguments arguments)
    {
        CancellationToken interruption = context.Interruption();
        using HoldfastClient client = await Contact.OpenOrStartAsync(context, arguments, interruption).ConfigureAwait(false);
        return await client.GetAsync($"v1/notebooks/graph?path={PathOf(context, arguments, client)}", interruption).ConfigureAwait(false);
    }

    private static string PathOf(CliContext context, Arguments arguments, HoldfastClient client) =>
        Uri.EscapeDataString(client.IsLocal ? Path.GetFullPath(arguments.Operands[1], context.CurrentDirectory) : arguments.Operands[1]);

    private static void Write(CliContext context, string text) => context.Terminal.Write(Encoding.UTF8.GetBytes(text));

    private static void WriteAll(Utf8JsonWriter writer, string property, List<string> items)
    {
        writer.WriteStartArray(property);
        items.ForEach(writer.WriteStringValue);
        writer.WriteEndArray();
    }
}
