using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>/v1/kernels: list, start, look at, interrupt, restart, answer, stop.</summary>
internal static class KernelEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet("/v1/kernels", (RequestDelegate)(context => ListAsync(context, door)));
        routes.MapPost("/v1/kernels", (RequestDelegate)(context => StartAsync(context, door)));
        routes.MapGet("/v1/kernels/{id}", (RequestDelegate)(context => GetAsync(context, door)));
        routes.MapDelete(
            "/v1/kernels/{id}",
            (RequestDelegate)(
                async context =>
                {
                    Kernel stopped = await door.Engine.StopKernel.RunAsync(Id(context), context.RequestAborted);
                    await AnswerAsync(context, door, 200, stopped.Id);
                }
            )
        );
        routes.MapPost(
            "/v1/kernels/{id}/interrupt",
            (RequestDelegate)(
                async context =>
                {
                    await door.Engine.InterruptKernel.RunAsync(Id(context), context.RequestAborted);
                    await AnswerAsync(context, door, 200, Id(context));
                }
            )
        );
        routes.MapPost(
            "/v1/kernels/{id}/restart",
            (RequestDelegate)(
                async context =>
                {
                    Kernel restarted = await door.Engine.RestartKernel.RunAsync(Id(context), context.RequestAborted);
                    await AnswerAsync(context, door, 200, restarted.Id);
                }
            )
        );
        routes.MapPost(
            "/v1/kernels/{id}/input",
            (RequestDelegate)(
                async context =>
                {
                    AnswerInputBody body = await RestBody.ReadJsonAsync(context, RestJson.Default.AnswerInputBody);
                    string value =
                        body.Value
                        ?? throw new RefusedException(
                            ErrorCodes.InvalidRequest,
                            "value must be a text: what the kernel is to be told, without a line feed."
                        );
                    PendingInput answered = await door.Engine.AnswerInput.RunAsync(Id(context), value, context.RequestAborted);
                    await RestAnswer.WriteAsync(context, 200, writer => WriteInput(writer, answered));
                }
            )
        );
    }

    private static async Task StartAsync(HttpContext context, EngineDoor door)
    {
        StartKernelBody body = await RestBody.ReadJsonAsync(context, RestJson.Default.StartKernelBody);
        Kernel kernel = await door.Engine.StartKernel.RunAsync(
            new StartKernelRequest
            {
                SpecName = body.Name,
                WorkingDirectory = body.Cwd,
                Environment = body.Env ?? new Dictionary<string, string>(),
                MemoryBytesMax = body.Limits?.MemoryBytes,
                Cpus = body.Limits?.Cpus,
                IsAutoRestarted = body.AutoRestart ?? true,
            },
            context.RequestAborted
        );
        context.Response.Headers.Location = $"/v1/kernels/{kernel.Id}";
        await AnswerAsync(context, door, 201, kernel.Id);
    }

    private static async Task ListAsync(HttpContext context, EngineDoor door)
    {
        IReadOnlyList<KernelView> views = door.Engine.GetKernel.List(RestQuery.Flag(context, "warm"));
        KernelUsage?[] usages = RestQuery.Flag(context, "usage")
            ? await Task.WhenAll(views.Select(v => door.Engine.ReadKernelUsage.RunAsync(v.Kernel.Id, context.RequestAborted)))
            : new KernelUsage?[views.Count];
        await RestAnswer.WriteAsync(
            context,
            200,
            writer =>
            {
                writer.WriteStartObject();
                writer.WriteStartArray("kernels");
                for (int i = 0; i < views.Count; i++)
                {
                    Write(writer, views[i], usages[i]);
                }

                writer.WriteEndArray();
                writer.WriteEndObject();
            }
        );
    }

    /// <summary>With what its processes use, since this is about one kernel.</summary>
    private static async Task GetAsync(HttpContext context, EngineDoor door)
    {
        KernelView view = door.Engine.GetKernel.Run(Id(context));
        KernelUsage? usage = await door.Engine.ReadKernelUsage.RunAsync(view.Kernel.Id, context.RequestAborted);
        await RestAnswer.WriteAsync(context, 200, writer => Write(writer, view, usage));
    }

    private static Task AnswerAsync(HttpContext context, EngineDoor door, int status, KernelId id)
    {
        KernelView view = door.Engine.GetKernel.Run(id);
        return RestAnswer.WriteAsync(context, status, writer => Write(writer, view));
    }

    private static KernelId Id(HttpContext context) => KernelId.Parse((string)context.Request.RouteValues["id"]!);

    private static void WriteInput(Utf8JsonWriter writer, PendingInput input)
    {
        writer.WriteStartObject();
        writer.WriteString("prompt", input.Prompt);
        writer.WriteBoolean("password", input.IsPassword);
        ExecutionJson.WriteTime(writer, "since", input.Since);
        writer.WriteString("executionId", input.ExecutionId?.Value);
        writer.WriteEndObject();
    }

    internal static void Write(Utf8JsonWriter writer, KernelView view, KernelUsage? usage = null)
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
        writer.WriteNumber("connections", view.Connections);
        writer.WriteNumber("restarts", kernel.Restarts);
        writer.WriteBoolean("autoRestart", kernel.IsAutoRestarted);
        ExecutionJson.WriteTime(writer, "restartDueAt", kernel.RestartDueAt);
        writer.WriteString("reason", kernel.Reason);
        WriteDeath(writer, kernel.LastDeath);
        WriteLimits(writer, kernel);
        WriteUsage(writer, usage);
        if (kernel.IsWarm)
        {
            writer.WriteBoolean("warm", true);
        }

        ExecutionJson.WriteTime(writer, "createdAt", kernel.CreatedAt);
        ExecutionJson.WriteTime(writer, "lastActivity", view.LastActivityAt);
        if (view.PendingInput is { } input)
        {
            writer.WritePropertyName("pendingInput");
            WriteInput(writer, input);
        }

        writer.WriteEndObject();
    }

    private static void WriteDeath(Utf8JsonWriter writer, KernelDeath? death)
    {
        if (death is null)
        {
            writer.WriteNull("lastDeath");
            return;
        }

        writer.WriteStartObject("lastDeath");
        death.WriteFields(writer);
        ExecutionJson.WriteTime(writer, "at", death.At);
        writer.WriteEndObject();
    }

    private static void WriteLimits(Utf8JsonWriter writer, Kernel kernel)
    {
        writer.WriteStartObject("limits");
        if (kernel.MemoryBytesMax is { } memory)
        {
            writer.WriteNumber("memoryBytes", memory);
        }
        else
        {
            writer.WriteNull("memoryBytes");
        }

        if (kernel.CpuMillisMax is { } cpu)
        {
            writer.WriteNumber("cpus", KernelCpus.FromMillis(cpu));
        }
        else
        {
            writer.WriteNull("cpus");
        }

        writer.WriteEndObject();
    }

    private static void WriteUsage(Utf8JsonWriter writer, KernelUsage? usage)
    {
        if (usage is not null)
        {
            writer.WriteNumber("memoryBytes", usage.MemoryBytes);
            writer.WriteNumber("cpuPercent", usage.CpuPercent);
            writer.WriteNumber("cpuSeconds", usage.CpuSeconds);
            writer.WriteNumber("processes", usage.Processes);
        }
    }
}
