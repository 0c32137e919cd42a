using Holdfast.Engine.Retention;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>POST /v1/retention: deletes now what is older than is kept, which happens every hour anyway.</summary>
internal static class RetentionEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door) => routes.MapPost("/v1/retention", (RequestDelegate)(context => ApplyAsync(context, door)));

    private static async Task ApplyAsync(HttpContext context, EngineDoor door)
    {
        RetentionResult result = await door.Engine.ApplyRetention.RunAsync(context.RequestAborted);
        await RestAnswer.WriteAsync(context, 200, writer =>
        {
            writer.WriteStartObject();
            writer.WriteNumber("executions", result.Executions);
            writer.WriteNumber("journals", result.Journals);
            writer.WriteNumber("attempts", result.Attempts);
            writer.WriteNumber("runs", result.Runs);
            writer.WriteNumber("kernels", result.Kernels);
            writer.WriteNumber("events", result.Events);
            writer.WriteEndObject();
        });
    }
}
