using System.Text.Json;
using Holdfast.Engine.Kernels;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>/v1/kernels: list, start, look at, interrupt, restart, stop.</summary>
internal static class KernelEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet("/v1/kernels", (RequestDelegate)(context => ListAsync(context, door)));
        routes.MapPost("/v1/kernels", (RequestDelegate)(context => StartAsync(context, door)));
        routes.MapGet("/v1/kernels/{id}", (RequestDelegate)(context => AnswerAsync(context, door, 200, Id(context))));
        routes.MapDelete("/v1/kernels/{id}", (RequestDelegate)(async context =>
        {
            Kernel stopped = await door.Engine.StopKernel.RunAsync(Id(context), context.RequestAborted);
            await AnswerAsync(context, door, 200, stopped.Id);
        }));
        routes.MapPost("/v1/kernels/{id}/interrupt", (RequestDelegate)(async context =>
        {
            await door.Engine.InterruptKernel.RunAsync(Id(context), context.RequestAborted);
            await AnswerAsync(context, door, 200, Id(context));
        }));
        routes.MapPost("/v1/kernels/{id}/restart", (RequestDelegate)(async context =>
        {
            Kernel restarted = await door.Engine.RestartKernel.RunAsync(Id(context), context.RequestAborted);
            await AnswerAsync(context, door, 200, restarted.Id);
        }));
    }

    private static async Task StartAsync(HttpContext context, EngineDoor door)
    {
        StartKernelBody body = await RestBody.ReadJsonAsync(context, RestJson.Default.StartKernelBody);
        Kernel kernel = await door.Engine.StartKernel.RunAsync(body.Name, body.Cwd, context.RequestAborted);
        context.Response.Headers.Location = $"/v1/kernels/{kernel.Id}";
        await AnswerAsync(context, door, 201, kernel.Id);
    }

    private static Task ListAsync(HttpContext context, EngineDoor door) => RestAnswer.WriteAsync(context, 200, writer =>
    {
        writer.WriteStartObject();
        writer.WriteStartArray("kernels");
        foreach (KernelView view in door.Engine.GetKernel.List())
        {
            Write(writer, view);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    private static Task AnswerAsync(HttpContext context, EngineDoor door, int status, KernelId id)
    {
        KernelView view = door.Engine.GetKernel.Run(id);
        return RestAnswer.WriteAsync(context, status, writer => Write(writer, view));
    }

    private static KernelId Id(HttpContext context) => KernelId.Parse((string)context.Request.RouteValues["id"]!);

    internal static void Write(Utf8JsonWriter writer, KernelView view)
    {
        Kernel kernel = view.Kernel;
        writer.WriteStartObject();
        writer.WriteString("id", kernel.Id.Value);
        writer.WriteString("name", kernel.SpecName);
        writer.WriteString("state", kernel.State.ToString().ToLowerInvariant());
        writer.WriteString("executionState", view.ExecutionState);
        ExecutionJson.WriteNumber(writer, "pid", view.Pid);
        writer.WriteBoolean("responsive", view.IsResponsive);
        writer.WriteString("cwd", kernel.WorkingDirectory);
        writer.WriteNumber("restarts", kernel.Restarts);
        writer.WriteString("reason", kernel.Reason);
        ExecutionJson.WriteTime(writer, "createdAt", kernel.CreatedAt);
        ExecutionJson.WriteTime(writer, "lastActivity", view.LastActivityAt);
        writer.WriteEndObject();
    }
}
