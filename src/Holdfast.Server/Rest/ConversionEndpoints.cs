using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Reactive;
using Holdfast.Engine.Reactive.Conversion;
using Holdfast.Engine.Reactive.Registration;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>POST /v1/notebooks/convert: what reactive mode would make of a linear notebook, and the notebook made reactive.</summary>
internal static class ConversionEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door) =>
        routes.MapPost("/v1/notebooks/convert", (RequestDelegate)(context => ConvertAsync(context, door)));

    private static async Task ConvertAsync(HttpContext context, EngineDoor door)
    {
        ConvertNotebookBody body = await RestBody.ReadJsonAsync(context, RestJson.Default.ConvertNotebookBody);
        string path = string.IsNullOrEmpty(body.Path)
            ? throw new RefusedException(ErrorCodes.InvalidRequest, "path must name a notebook.")
            : body.Path;
        ConversionReport report = await door.Engine.ConvertLinearNotebook.RunAsync(
            new ConversionRequest(path, body.Write ?? false, body.Partial ?? false),
            context.RequestAborted
        );
        await RestAnswer.WriteAsync(context, 200, writer => Write(writer, report));
    }

    private static void Write(Utf8JsonWriter writer, ConversionReport report)
    {
        writer.WriteStartObject();
        writer.WriteString("path", report.Path);
        writer.WriteString("mode", report.IsReactive || report.Backup is not null ? "reactive" : "linear");
        writer.WriteBoolean("written", report.Backup is not null);
        writer.WriteString("backup", report.Backup);
        writer.WriteNumber("cells", report.CellCount);
        GraphJson.WriteCells(writer, "blocked", report.Blocked);
        writer.WriteStartArray("findings");
        foreach (Finding finding in report.Findings)
        {
            writer.WriteStartObject();
            writer.WriteString("kind", finding.Kind);
            writer.WriteString("level", JsonNamingPolicy.CamelCase.ConvertName(finding.Level.ToString()));
            WritePlace(writer, finding.CellIndex, finding.Cell, finding.Line);
            writer.WriteString("name", finding.Name);
            writer.WriteString("message", finding.Message);
            writer.WriteString("effect", finding.Effect);
            writer.WriteString("fix", finding.Fix);
            writer.WriteBoolean("fixed", finding.IsFixed);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("renames");
        foreach (Renaming renaming in report.Renamings)
        {
            writer.WriteStartObject();
            WritePlace(writer, renaming.CellIndex, renaming.Cell, renaming.Line);
            writer.WriteString("from", renaming.From);
            writer.WriteString("to", renaming.To);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartObject("finalNames");
        foreach ((string name, string last) in report.FinalNames.OrderBy(static n => n.Key, StringComparer.Ordinal))
        {
            writer.WriteString(name, last);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WritePlace(Utf8JsonWriter writer, int index, CellId cell, int line)
    {
        writer.WriteNumber("index", index);
        writer.WriteString("cellId", cell.Value);
        writer.WriteNumber("line", line);
    }
}
