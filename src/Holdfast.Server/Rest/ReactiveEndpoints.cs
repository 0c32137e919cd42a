using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Reactive;
using Holdfast.Engine.Reactive.Registration;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>Reactive notebooks: cells are registered and deleted, the graph is read, the mode is set.</summary>
internal static class ReactiveEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapPut("/v1/notebooks/cells", (RequestDelegate)(context => RegisterAsync(context, door)));
        routes.MapPatch("/v1/notebooks/cells", (RequestDelegate)(context => DisableAsync(context, door)));
        routes.MapDelete("/v1/notebooks/cells", (RequestDelegate)(context => DeleteAsync(context, door)));
        routes.MapGet("/v1/notebooks/graph", (RequestDelegate)(context => GraphAsync(context, door)));
        routes.MapPatch("/v1/notebooks", (RequestDelegate)(context => SetModeAsync(context, door)));
    }

    private static async Task RegisterAsync(HttpContext context, EngineDoor door)
    {
        RegisterCellBody body = await RestBody.ReadJsonAsync(context, RestJson.Default.RegisterCellBody);
        RegisteredVerdict verdict = await door.Engine.RegisterCell.RunAsync(
            new CellText(
                Required("path", body.Path),
                Required("cellId", body.CellId),
                body.Source ?? throw new RefusedException(ErrorCodes.InvalidRequest, "source is missing."),
                body.BasedOn,
                body.Index
            ),
            context.RequestAborted
        );
        await RestAnswer.WriteAsync(context, 200, writer => Write(writer, verdict));
    }

    private static async Task DisableAsync(HttpContext context, EngineDoor door)
    {
        CellSwitchBody body = await RestBody.ReadJsonAsync(context, RestJson.Default.CellSwitchBody);
        RegisteredVerdict verdict = await door.Engine.DisableCell.RunAsync(
            Required("path", RestQuery.Text(context, "path")),
            Required("cellId", RestQuery.Text(context, "cellId")),
            body.Disabled ?? throw new RefusedException(ErrorCodes.InvalidRequest, "disabled is missing; it is true or false."),
            context.RequestAborted
        );
        await RestAnswer.WriteAsync(context, 200, writer => Write(writer, verdict));
    }

    private static async Task DeleteAsync(HttpContext context, EngineDoor door)
    {
        await door.Engine.DeleteCell.RunAsync(
            Required("path", RestQuery.Text(context, "path")),
            Required("cellId", RestQuery.Text(context, "cellId")),
            context.RequestAborted
        );
        context.Response.StatusCode = 204;
    }

    private static async Task GraphAsync(HttpContext context, EngineDoor door)
    {
        NotebookGraph graph = await door.Engine.GetGraph.RunAsync(
            Required("path", RestQuery.Text(context, "path")),
            context.RequestAborted
        );
        await RestAnswer.WriteAsync(context, 200, writer => Write(writer, graph));
    }

    private static async Task SetModeAsync(HttpContext context, EngineDoor door)
    {
        string path = Required("path", RestQuery.Text(context, "path"));
        NotebookModeBody body = await RestBody.ReadJsonAsync(context, RestJson.Default.NotebookModeBody);
        bool? isReactive = body.Mode switch
        {
            null => null,
            "reactive" => true,
            "linear" => false,
            _ => throw new RefusedException(ErrorCodes.InvalidRequest, $"mode is '{body.Mode}'; it may be reactive or linear."),
        };
        ReactiveNotebook notebook = await door.Engine.SetNotebookMode.RunAsync(path, isReactive, body.Autorun, context.RequestAborted);
        await RestAnswer.WriteAsync(
            context,
            200,
            writer =>
            {
                writer.WriteStartObject();
                WriteMode(writer, notebook.Path, notebook.IsReactive, notebook.IsAutorun);
                writer.WriteEndObject();
            }
        );
    }

    private static string Required(string name, string? value) =>
        string.IsNullOrEmpty(value) ? throw new RefusedException(ErrorCodes.InvalidRequest, $"{name} is missing.") : value;

    internal static void Write(Utf8JsonWriter writer, RegisteredVerdict verdict)
    {
        writer.WriteStartObject();
        writer.WriteString("cellId", verdict.Cell.Value);
        GraphJson.WriteState(writer, verdict.State);
        WriteNames(writer, verdict.Analysis, verdict.Analysis.References);
        GraphJson.WriteCells(writer, "stale", verdict.Freshness.Stale);
        GraphJson.WriteCells(writer, "fresh", verdict.Freshness.Fresh);
        writer.WriteString("sourceHash", verdict.SourceHash);
        writer.WriteEndObject();
    }

    internal static void Write(Utf8JsonWriter writer, NotebookGraph graph)
    {
        writer.WriteStartObject();
        WriteMode(writer, graph.Path, graph.IsReactive, graph.IsAutorun);
        var reasons = new ReasonTable();
        writer.WriteStartArray("cells");
        foreach (GraphCell cell in graph.Cells)
        {
            writer.WriteStartObject();
            writer.WriteString("cellId", cell.Cell.Value);
            reasons.WriteState(writer, cell.State);
            WriteNames(writer, cell.Analysis, cell.References);
            GraphJson.WriteCells(writer, "upstream", cell.Upstream);
            GraphJson.WriteCells(writer, "blockedBy", cell.BlockedBy);
            writer.WriteBoolean("stale", cell.IsStale);
            writer.WriteString("sourceHash", cell.SourceHash);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        reasons.Write(writer);
        writer.WriteEndObject();
    }

    private static void WriteMode(Utf8JsonWriter writer, string path, bool isReactive, bool isAutorun)
    {
        writer.WriteString("path", path);
        writer.WriteString("mode", isReactive ? "reactive" : "linear");
        writer.WriteBoolean("autorun", isAutorun);
    }

    private static void WriteNames(Utf8JsonWriter writer, CellAnalysis analysis, IReadOnlyList<string> references)
    {
        writer.WriteString("language", analysis.Language);
        GraphJson.WriteNames(writer, "definitions", analysis.Definitions);
        GraphJson.WriteNames(writer, "references", references);
        GraphJson.WriteNames(writer, "deletions", analysis.Deletions);
        GraphJson.WriteNames(writer, "privates", analysis.Privates);
        writer.WriteStartArray("mutations");
        foreach (CellMutation mutation in analysis.Mutations)
        {
            writer.WriteStartObject();
            writer.WriteString("variable", mutation.Name);
            writer.WriteNumber("line", mutation.Line);
            writer.WriteString("hint", mutation.Hint);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
