using Holdfast.Engine;
using Holdfast.Engine.Kernels;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>/api/kernels/{id}/channels: the WebSocket over which clients speak with a kernel. See docs/spec/jupyter-profile.md.</summary>
internal static class ChannelsEndpoints
{
    /// <summary>A session's name past this is none: clients use UUIDs.</summary>
    private const int SessionLengthMax = 256;

    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        ILogger logger = routes.ServiceProvider.GetRequiredService<ILoggerFactory>().CreateLogger("Holdfast.Server.Jupyter.Channels");
        IHostApplicationLifetime lifetime = routes.ServiceProvider.GetRequiredService<IHostApplicationLifetime>();
        routes.MapGet("/api/kernels/{id}/channels", (RequestDelegate)(context => ServeAsync(context, door, lifetime, logger)));
    }

    private static Task ServeAsync(HttpContext context, EngineDoor door, IHostApplicationLifetime lifetime, ILogger logger)
    {
        KernelId kernel = KernelId.Parse((string)context.Request.RouteValues["id"]!);
        if (!Handshake.IsWebSocket(context))
        {
            throw new RefusedException(
                ErrorCodes.InvalidRequest,
                "Only a WebSocket can be opened here: a GET with Upgrade, Sec-WebSocket-Version 13 and Sec-WebSocket-Key."
            );
        }

        string? session = context.Request.Query["session_id"].ToString() is { Length: > 0 and <= SessionLengthMax } given ? given : null;
        return ChannelsConnection.RunAsync(
            context,
            new ChannelsPlace(
                kernel,
                door.Engine.Clients,
                door.Engine.SendToKernel,
                door.Engine.ListComms,
                door.Engine.Meters.Followers,
                door.MessageBytesMax,
                TimeProvider.System,
                lifetime.ApplicationStopping
            ),
            session,
            logger
        );
    }
}
