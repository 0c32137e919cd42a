using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Reactive;
using Holdfast.Engine.Reactive.Cascades;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>Cascades of reactive notebooks: POST /v1/notebooks/cascade, and what became of them.</summary>
internal static class CascadeEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapPost("/v1/notebooks/cascade", (RequestDelegate)(context => RunAsync(context, door)));
        routes.MapGet("/v1/notebooks/cascades/{id}", (RequestDelegate)(context => GetAsync(context, door)));
        routes.MapPost("/v1/notebooks/cascades/{id}/cancel", (RequestDelegate)(context => CancelAsync(context, door)));
    }

    private static async Task RunAsync(HttpContext context, EngineDoor door)
    {
        CascadeBody body = await RestBody.ReadJsonAsync(context, RestJson.Default.CascadeBody);
        StartedCascade started = await door.Engine.RunCascade.RunAsync(
            new CascadeRequest
            {
                Path = string.IsNullOrEmpty(body.Path)
                    ? throw new RefusedException(ErrorCodes.InvalidRequest, "path must name a notebook.")
                    : body.Path,
                Cell = body.CellId is { } cell ? new CellId(cell) : null,
                Kernel = body.Kernel,
                IsResume = body.Resume ?? false,
            },
            context.RequestAborted
        );
        if (started.Run is { } run)
        {
            context.Response.Headers.Location = $"/v1/notebooks/cascades/{run.Id}";
        }

        await RestAnswer.WriteAsync(context, started.Run is null ? 200 : 201, writer => Write(writer, started));
    }

    private static async Task GetAsync(HttpContext context, EngineDoor door)
    {
        TimeSpan wait = RestQuery.Seconds(context, "timeoutSeconds") ?? TimeSpan.Zero;
        RunView view = await door.Engine.GetRun.WaitAsync((string)context.Request.RouteValues["id"]!, wait, context.RequestAborted);
        await RestAnswer.WriteAsync(context, 200, writer => NotebookEndpoints.Write(writer, view.Run, view.Cells));
    }

    private static async Task CancelAsync(HttpContext context, EngineDoor door)
    {
        RunView view = await door.Engine.CancelCascade.RunAsync((string)context.Request.RouteValues["id"]!, context.RequestAborted);
        await RestAnswer.WriteAsync(context, 200, writer => NotebookEndpoints.Write(writer, view.Run, view.Cells));
    }

    /// <summary>Nothing to run: id is null, and cells are empty.</summary>
    private static void Write(Utf8JsonWriter writer, StartedCascade started)
    {
        writer.WriteStartObject();
        writer.WriteString("id", started.Run?.Id);
        writer.WriteString("kernelId", started.Run?.KernelId.Value);
        writer.WriteStartArray("cells");
        foreach (RunCellView cell in started.Cells)
        {
            writer.WriteStartObject();
            writer.WriteString("cellId", cell.CellId);
            writer.WriteString("executionId", cell.Execution.Id.Value);
            writer.WriteNumber("index", cell.Index);
            writer.WriteString("state", cell.Execution.State.Name());
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("excluded");
        foreach (ExcludedCell excluded in started.Excluded)
        {
            writer.WriteStartObject();
            writer.WriteString("cellId", excluded.Cell.Value);
            writer.WriteString("reason", JsonNamingPolicy.CamelCase.ConvertName(excluded.Reason.ToString()));
            writer.WriteString("because", excluded.Because.Value);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
