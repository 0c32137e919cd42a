using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Notebooks;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>Notebook runs: POST /v1/notebooks/run and what became of them.</summary>
internal static class NotebookEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapPost("/v1/notebooks/run", (RequestDelegate)(context => RunAsync(context, door)));
        routes.MapPost("/v1/notebooks/recover", (RequestDelegate)(context => RecoverAsync(context, door)));
        routes.MapGet("/v1/notebooks/runs/{id}", (RequestDelegate)(context => GetAsync(context, door)));
    }

    private static async Task RunAsync(HttpContext context, EngineDoor door)
    {
        RunNotebookBody body = await RestBody.ReadJsonAsync(context, RestJson.Default.RunNotebookBody);
        StartedRun started = await door.Engine.RunNotebook.RunAsync(
            new RunRequest
            {
                Path = string.IsNullOrEmpty(body.Path)
                    ? throw new RefusedException(ErrorCodes.InvalidRequest, "path must name a notebook.")
                    : body.Path,
                Kernel = body.Kernel,
                Cells = Selection(body),
                Parameters = body.Parameters is { } parameters ? [.. parameters] : [],
                StopOnError = body.StopOnError ?? true,
                Callback = body.Callback,
                Key = Key(context, body),
            },
            context.RequestAborted
        );
        context.Response.Headers.Location = $"/v1/notebooks/runs/{started.Run.Id}";
        await RestAnswer.WriteAsync(context, started.IsRepeat ? 200 : 201, writer => Write(writer, started.Run, started.Cells));
    }

    private static async Task RecoverAsync(HttpContext context, EngineDoor door)
    {
        RecoverNotebookBody body = await RestBody.ReadJsonAsync(context, RestJson.Default.RecoverNotebookBody);
        string path = string.IsNullOrEmpty(body.Path)
            ? throw new RefusedException(ErrorCodes.InvalidRequest, "path must name a notebook.")
            : body.Path;
        NotebookRecovery recovery = await Task.Run(
            () => door.Engine.Contents.Recover.RunAsync(path, body.DryRun ?? false),
            CancellationToken.None
        );
        await RestAnswer.WriteAsync(context, 200, writer => Write(writer, recovery));
    }

    private static void Write(Utf8JsonWriter writer, NotebookRecovery recovery)
    {
        writer.WriteStartObject();
        writer.WriteString("path", recovery.Path);
        writer.WriteBoolean("saved", recovery.IsSaved);
        writer.WriteStartArray("cells");
        foreach (RestoredCell cell in recovery.Cells)
        {
            writer.WriteStartObject();
            writer.WriteNumber("index", cell.Index);
            writer.WriteString("cellId", cell.CellId);
            writer.WriteString("executionId", cell.ExecutionId);
            writer.WriteString("state", cell.State);
            writer.WriteString("recovery", cell.Recovery.ToString().ToLowerInvariant());
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static async Task GetAsync(HttpContext context, EngineDoor door)
    {
        TimeSpan wait = RestQuery.Seconds(context, "timeoutSeconds") ?? TimeSpan.Zero;
        RunView view = await door.Engine.GetRun.WaitAsync((string)context.Request.RouteValues["id"]!, wait, context.RequestAborted);
        await RestAnswer.WriteAsync(context, 200, writer => Write(writer, view.Run, view.Cells));
    }

    private static IdempotencyKey? Key(HttpContext context, RunNotebookBody body) =>
        context.Request.Headers.TryGetValue("Idempotency-Key", out var key)
            ? IdempotencyKey.Of(key.ToString(), JsonSerializer.SerializeToUtf8Bytes(body, RestJson.Default.RunNotebookBody))
            : null;

    private static CellSelection Selection(RunNotebookBody body)
    {
        if (body.From is { } from)
        {
            return body.Cells is not null ? throw new RefusedException(ErrorCodes.InvalidRequest, "cells and from cannot both be given.")
                : from.ValueKind == JsonValueKind.Number && from.TryGetInt32(out int index) ? new CellSelection.FromIndex(index)
                : from.ValueKind == JsonValueKind.String
                    ? from.GetString() == "failed" ? new CellSelection.Resume()
                        : new CellSelection.FromId(from.GetString()!)
                : throw new RefusedException(ErrorCodes.InvalidRequest, "from must be a cell's index, its id, or \"failed\".");
        }

        return body.Cells is not { } cells ? new CellSelection.All()
            : cells.All(c => c.ValueKind == JsonValueKind.Number && c.TryGetInt32(out _))
                ? new CellSelection.ByIndex([.. cells.Select(c => c.GetInt32())])
            : cells.All(c => c.ValueKind == JsonValueKind.String) ? new CellSelection.ById([.. cells.Select(c => c.GetString()!)])
            : throw new RefusedException(ErrorCodes.InvalidRequest, "cells must be indices, or cell ids, and not both.");
    }

    internal static void Write(Utf8JsonWriter writer, Run run, IReadOnlyList<RunCellView> cells)
    {
        writer.WriteStartObject();
        writer.WriteString("id", run.Id);
        writer.WriteString("path", run.Path);
        writer.WriteString("state", run.State.ToString().ToLowerInvariant());
        writer.WriteString("kernelId", run.KernelId.Value);
        writer.WriteString("reason", run.Reason);
        ExecutionJson.WriteTime(writer, "createdAt", run.CreatedAt);
        ExecutionJson.WriteTime(writer, "finishedAt", run.FinishedAt);
        writer.WriteStartArray("cells");
        foreach (RunCellView cell in cells)
        {
            writer.WriteStartObject();
            writer.WriteNumber("index", cell.Index);
            writer.WriteString("cellId", cell.CellId);
            writer.WriteString("executionId", cell.Execution.Id.Value);
            writer.WriteString("state", cell.Execution.State.Name());
            writer.WriteString("reason", cell.Execution.Reason);
            ExecutionJson.WriteTime(writer, "startedAt", cell.Execution.StartedAt);
            ExecutionJson.WriteTime(writer, "finishedAt", cell.Execution.FinishedAt);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
