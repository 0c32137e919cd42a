using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Kernels;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Jupyter.Kernels;

/// <summary>
/// /api/kernels: list, start, look at, interrupt, restart, stop. A start is answered when it is certain to happen, not when the kernel is
/// ready.
/// </summary>
internal static class KernelEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet("/api/kernels", (RequestDelegate)(context => ListAsync(context, door)));
        routes.MapPost("/api/kernels", (RequestDelegate)(context => StartAsync(context, door)));
        routes.MapGet("/api/kernels/{id}", (RequestDelegate)(context => AnswerAsync(context, door, 200, Id(context))));
        routes.MapDelete(
            "/api/kernels/{id}",
            (RequestDelegate)(
                async context =>
                {
                    await door.Engine.StopKernel.DismissAsync(Current(context, door).Kernel.Id, context.RequestAborted);
                    await JupyterAnswer.EmptyAsync(context);
                }
            )
        );
        routes.MapPost(
            "/api/kernels/{id}/interrupt",
            (RequestDelegate)(
                async context =>
                {
                    await door.Engine.InterruptKernel.RunAsync(Current(context, door).Kernel.Id, context.RequestAborted);
                    await JupyterAnswer.EmptyAsync(context);
                }
            )
        );
        routes.MapPost(
            "/api/kernels/{id}/restart",
            (RequestDelegate)(
                async context =>
                {
                    Kernel restarted = await door.Engine.RestartKernel.RunAsync(Current(context, door).Kernel.Id, context.RequestAborted);
                    await AnswerAsync(context, door, 200, restarted.Id);
                }
            )
        );
    }

    private static async Task StartAsync(HttpContext context, EngineDoor door)
    {
        StartKernelRequest request = KernelBody.Read(await JupyterBody.ReadObjectAsync(context), door.Engine.Root);
        Kernel kernel = await door.Engine.StartKernel.BeginAsync(request, context.RequestAborted);
        context.Response.Headers.Location = $"{context.Request.PathBase}/api/kernels/{kernel.Id}";
        await AnswerAsync(context, door, 201, kernel.Id);
    }

    private static Task ListAsync(HttpContext context, EngineDoor door)
    {
        IReadOnlyList<KernelView> kernels = door.Engine.GetKernel.ListCurrent();
        return JupyterAnswer.WriteAsync(context, 200, writer => WriteList(writer, kernels));
    }

    internal static void WriteList(Utf8JsonWriter writer, IReadOnlyList<KernelView> kernels)
    {
        writer.WriteStartArray();
        foreach (KernelView view in kernels)
        {
            KernelModel.Write(writer, view);
        }

        writer.WriteEndArray();
    }

    private static Task AnswerAsync(HttpContext context, EngineDoor door, int status, KernelId id)
    {
        KernelView view = door.Engine.GetKernel.RunCurrent(id);
        return JupyterAnswer.WriteAsync(context, status, writer => KernelModel.Write(writer, view));
    }

    private static KernelView Current(HttpContext context, EngineDoor door) => door.Engine.GetKernel.RunCurrent(Id(context));

    private static KernelId Id(HttpContext context) => KernelId.Parse((string)context.Request.RouteValues["id"]!);
}
