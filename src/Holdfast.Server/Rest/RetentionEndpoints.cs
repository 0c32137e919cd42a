using Holdfast.Engine.Retention;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>GET /v1/retention: how long what is over is kept. POST: deletes now what is older, which happens every hour anyway.</summary>
internal static class RetentionEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet("/v1/retention", (RequestDelegate)(context => ShowAsync(context, door.Engine.ApplyRetention.Options)));
        routes.MapPost("/v1/retention", (RequestDelegate)(context => ApplyAsync(context, door)));
    }

    private static Task ShowAsync(HttpContext context, RetentionOptions options) =>
        RestAnswer.WriteAsync(
            context,
            200,
            writer =>
            {
                writer.WriteStartObject();
                writer.WriteNumber("executionsSeconds", options.Executions.TotalSeconds);
                writer.WriteNumber("outputSeconds", options.Output.TotalSeconds);
                writer.WriteNumber("compressAfterSeconds", options.CompressAfter.TotalSeconds);
                writer.WriteNumber("eventsSeconds", options.Events.TotalSeconds);
                writer.WriteEndObject();
            }
        );

    private static async Task ApplyAsync(HttpContext context, EngineDoor door)
    {
        RetentionResult result = await door.Engine.ApplyRetention.RunAsync(context.RequestAborted);
        await RestAnswer.WriteAsync(
            context,
            200,
            writer =>
            {
                writer.WriteStartObject();
                writer.WriteNumber("executions", result.Executions);
                writer.WriteNumber("journals", result.Journals);
                writer.WriteNumber("attempts", result.Attempts);
                writer.WriteNumber("runs", result.Runs);
                writer.WriteNumber("kernels", result.Kernels);
                writer.WriteNumber("events", result.Events);
                writer.WriteEndObject();
            }
        );
    }
}
