using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Kernels;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Server.Jupyter.Specs;

/// <summary>/api/kernelspecs and /kernelspecs/{name}/{file}: what kernels there are, with their logos. Read anew at each request.</summary>
internal static class SpecEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/kernelspecs", (RequestDelegate)(context =>
        {
            IReadOnlyList<KernelSpec> specs = KernelSpecSearch.Search().Specs;
            return JupyterAnswer.WriteAsync(context, 200, writer => WriteList(writer, specs, context.Request.PathBase.Value ?? ""));
        }));
        routes.MapGet("/api/kernelspecs/{name}", (RequestDelegate)(context =>
        {
            KernelSpec spec = KernelSpecs.Require((string)context.Request.RouteValues["name"]!);
            return JupyterAnswer.WriteAsync(context, 200, writer => SpecModel.Write(writer, spec, context.Request.PathBase.Value ?? ""));
        }));
        routes.MapGet("/kernelspecs/{name}/{file}", (RequestDelegate)SendResourceAsync);
    }

    internal static void WriteList(Utf8JsonWriter writer, IReadOnlyList<KernelSpec> specs, string pathBase)
    {
        writer.WriteStartObject();
        writer.WriteString("default", specs.Any(s => s.Name == StartKernel.DefaultSpec) || specs.Count == 0 ? StartKernel.DefaultSpec : specs[0].Name);
        writer.WriteStartObject("kernelspecs");
        foreach (KernelSpec spec in specs)
        {
            writer.WritePropertyName(spec.Name);
            SpecModel.Write(writer, spec, pathBase);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static Task SendResourceAsync(HttpContext context)
    {
        KernelSpec spec = KernelSpecs.Require((string)context.Request.RouteValues["name"]!);
        string name = (string)context.Request.RouteValues["file"]!;
        string file = SpecResources.Find(spec.ResourceDirectory, name)
            ?? throw new RefusedException(ErrorCodes.RouteNotFound, $"Kernelspec {spec.Name} has no file '{name}'.");
        context.Response.ContentType = SpecResources.ContentType(file);
        context.Response.Headers.XContentTypeOptions = "nosniff";
        return context.Response.SendFileAsync(file, context.RequestAborted);
    }
}
