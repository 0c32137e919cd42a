using Holdfast.Engine.Stopping;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>POST /v1/stop: ends the server, and with <c>withWork</c> what runs in it before.</summary>
internal static class StopEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door) =>
        routes.MapPost("/v1/stop", (RequestDelegate)(context => StopAsync(context, door)));

    private static async Task StopAsync(HttpContext context, EngineDoor door)
    {
        StopBody body = await RestBody.ReadJsonAsync(context, RestJson.Default.StopBody);
        EndedWork? ended = body.WithWork == true ? await door.Engine.EndWork.RunAsync(CancellationToken.None) : null;
        await RestAnswer.WriteAsync(
            context,
            202,
            writer =>
            {
                writer.WriteStartObject();
                writer.WriteNumber("jobs", ended?.Jobs ?? 0);
                writer.WriteNumber("kernels", ended?.Kernels ?? 0);
                writer.WriteNumber("left", ended?.Left ?? door.Engine.Live.All.Count);
                writer.WriteEndObject();
            }
        );
        await context.Response.CompleteAsync();
        door.StopRequested();
    }
}
