using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Kernels;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Jupyter.Status;

/// <summary>/api, which asks for no token, and /api/status.</summary>
internal static class StatusEndpoints
{
    /// <summary>
    /// The version of Jupyter Server whose REST surface this door follows. Clients read it to know what they may ask for.
    /// </summary>
    private const string SurfaceVersion = "2.14.0";

    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet("/api", (RequestDelegate)(context => JupyterAnswer.WriteAsync(context, 200, WriteVersion)));
        routes.MapGet(
            "/api/status",
            (RequestDelegate)(
                context =>
                {
                    IReadOnlyList<KernelView> kernels = door.Engine.GetKernel.ListCurrent();
                    long started = door.Engine.Recovery.StartedAt;
                    return JupyterAnswer.WriteAsync(context, 200, writer => WriteStatus(writer, started, kernels));
                }
            )
        );
    }

    internal static void WriteVersion(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("version", SurfaceVersion);
        writer.WriteString("holdfast", ProductVersion.Current);
        writer.WriteEndObject();
    }

    internal static void WriteStatus(Utf8JsonWriter writer, long started, IReadOnlyList<KernelView> kernels)
    {
        writer.WriteStartObject();
        writer.WriteString("started", JupyterText.Time(started));
        writer.WriteString("last_activity", JupyterText.Time(kernels.Select(k => k.LastActivityAt).Append(started).Max()));
        writer.WriteNumber("kernels", kernels.Count);
        writer.WriteNumber("connections", kernels.Sum(k => k.Connections));
        writer.WriteEndObject();
    }
}
