using Holdfast.Engine;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>Liveness at once, readiness when recovered; no token, and nothing told but that.</summary>
internal static class HealthEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet("/healthz", (RequestDelegate)(context => WriteAsync(context, 200, "ok")));
        routes.MapGet(
            "/readyz",
            (RequestDelegate)(
                context =>
                {
                    if (door.IsReady)
                    {
                        return WriteAsync(context, 200, "ready");
                    }

                    context.Response.Headers.RetryAfter = "1";
                    return WriteAsync(context, 503, "recovering");
                }
            )
        );
    }

    private static Task WriteAsync(HttpContext context, int status, string state) =>
        RestAnswer.WriteAsync(
            context,
            status,
            writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("status", state);
                writer.WriteString("version", ProductVersion.Current);
                writer.WriteEndObject();
            }
        );
}
