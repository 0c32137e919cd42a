using System.Net.WebSockets;
using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Jupyter.Events;

/// <summary>
/// /api/events: events of Jupyter's kind, which front ends send each other, and which this server adds its kernels' to. Nothing is kept:
/// /v1/feed is for those who want to miss nothing.
/// </summary>
internal static class EventEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        var board = new EventBoard();
        CancellationToken stopping = routes.ServiceProvider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        routes.MapPost(
            "/api/events",
            (RequestDelegate)(
                async context =>
                {
                    board.Post(Read(await JupyterBody.ReadObjectAsync(context)));
                    await JupyterAnswer.EmptyAsync(context);
                }
            )
        );
        routes.MapGet(
            "/api/events/subscribe",
            (RequestDelegate)(
                async context =>
                {
                    if (!context.WebSockets.IsWebSocketRequest)
                    {
                        throw new RefusedException(ErrorCodes.InvalidRequest, "This address speaks WebSocket only.");
                    }

                    using var subscription = new EventSubscription(board, door.Engine.Feed);
                    using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
                    await EventSocket.RunAsync(socket, subscription, stopping);
                }
            )
        );
    }

    /// <summary>
    /// An event as a client sends it, <c>{"schema_id","version","data"}</c>, made into what subscribers get: its data, with the schema's id
    /// beside it.
    /// </summary>
    internal static byte[] Read(JsonElement body)
    {
        string schema = JupyterBody.Text(body, "schema_id") ?? throw Missing("schema_id");
        if (!body.TryGetProperty("version", out _))
        {
            throw Missing("version");
        }

        if (!body.TryGetProperty("data", out JsonElement fields) || fields.ValueKind != JsonValueKind.Object)
        {
            throw Missing("data");
        }

        return EventText.Write(
            schema,
            writer =>
            {
                foreach (JsonProperty field in fields.EnumerateObject())
                {
                    if (field.Name != "schema_id")
                    {
                        field.WriteTo(writer);
                    }
                }
            }
        );
    }

    private static RefusedException Missing(string field) =>
        new(ErrorCodes.InvalidRequest, $"Missing key `{field}` in the JSON request body.");
}
