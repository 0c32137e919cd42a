using System.Globalization;
using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Kernels;
using Holdfast.Protocol.Jupyter;
using Holdfast.Server.Hosting;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Server.Jupyter.Specs;

/// <summary>/api/kernelspecs and /kernelspecs/{name}/{file}: what kernels there are, with their logos. Read anew at each request.</summary>
internal static class SpecEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(
            "/api/kernelspecs",
            (RequestDelegate)(
                context =>
                {
                    IReadOnlyList<KernelSpec> specs = KernelSpecSearch.Search().Specs;
                    return JupyterAnswer.WriteAsync(context, 200, writer => WriteList(writer, specs, context.Request.PathBase.Value ?? ""));
                }
            )
        );
        routes.MapGet(
            "/api/kernelspecs/{name}",
            (RequestDelegate)(
                context =>
                {
                    KernelSpec spec = KernelSpecs.Require((string)context.Request.RouteValues["name"]!);
                    return JupyterAnswer.WriteAsync(
                        context,
                        200,
                        writer => SpecModel.Write(writer, spec, context.Request.PathBase.Value ?? "")
                    );
                }
            )
        );
        routes.MapMethods("/kernelspecs/{name}/{file}", ["GET", "HEAD"], (RequestDelegate)SendResourceAsync);
    }

    internal static void WriteList(Utf8JsonWriter writer, IReadOnlyList<KernelSpec> specs, string pathBase)
    {
        writer.WriteStartObject();
        writer.WriteString(
            "default",
            specs.Any(s => s.Name == StartKernel.DefaultSpec) || specs.Count == 0 ? StartKernel.DefaultSpec : specs[0].Name
        );
        writer.WriteStartObject("kernelspecs");
        foreach (KernelSpec spec in specs)
        {
            writer.WritePropertyName(spec.Name);
            SpecModel.Write(writer, spec, pathBase);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static async Task SendResourceAsync(HttpContext context)
    {
        KernelSpec spec = KernelSpecs.Require((string)context.Request.RouteValues["name"]!);
        string name = (string)context.Request.RouteValues["file"]!;
        string file =
            SpecResources.Find(spec.ResourceDirectory, name)
            ?? throw new RefusedException(ErrorCodes.RouteNotFound, $"Kernelspec {spec.Name} has no file '{name}'.");
        using SafeFileHandle handle = File.OpenHandle(file);
        (long length, DateTime changed) = (RandomAccess.GetLength(handle), File.GetLastWriteTimeUtc(handle));
        HttpResponse response = context.Response;
        response.ContentType = SpecResources.ContentType(file);
        response.Headers.XContentTypeOptions = "nosniff";
        // A logo may be an SVG, with a script in it.
        response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox";
        response.Headers.LastModified = changed.ToString("R", CultureInfo.InvariantCulture);
        response.Headers.CacheControl = "no-cache"; // Kept, and asked for again: a page's launcher has many logos.
        await FileAnswer.SendAsync(
            context,
            handle,
            length,
            string.Create(CultureInfo.InvariantCulture, $"\"{length:x}-{changed.Ticks:x}\"")
        );
    }
}
