using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Contents;
using Holdfast.Engine.Notebooks.Conversion;
using Holdfast.Server.Hosting;
using Microsoft.Net.Http.Headers;

namespace Holdfast.Server.Jupyter.Conversion;

/// <summary>
/// /api/nbconvert, what notebooks can be converted to, and /nbconvert/{format}, which does it to a file or to a notebook that is sent.
/// </summary>
internal static class ConversionEndpoints
{
    private const int NotebookBytesMax = 256 * 1024 * 1024;

    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        routes.MapGet(
            "/api/nbconvert",
            (RequestDelegate)(
                context =>
                    JupyterAnswer.WriteAsync(
                        context,
                        200,
                        writer =>
                        {
                            writer.WriteStartObject();
                            foreach ((string name, string type) in ConversionFormats.List())
                            {
                                writer.WriteStartObject(name);
                                writer.WriteString("output_mimetype", type);
                                writer.WriteEndObject();
                            }

                            writer.WriteEndObject();
                        }
                    )
            )
        );
        routes.MapGet(
            "/nbconvert/{format}/{**path}",
            (RequestDelegate)(
                async context =>
                {
                    ContentsPath path = ContentsPath.Parse(
                        ((string?)context.Request.RouteValues["path"] ?? "").Replace("%2F", "/", StringComparison.OrdinalIgnoreCase)
                    );
                    using OpenedFile file = door.Engine.Contents.OpenFile.Run(path);
                    if (file.Length > NotebookBytesMax)
                    {
                        throw new RefusedException(ErrorCodes.BodyTooLarge, $"'{path}' is larger than {NotebookBytesMax} bytes.");
                    }

                    byte[] notebook = new byte[file.Length];
                    await file.Stream.ReadExactlyAsync(notebook, context.RequestAborted);
                    await SendAsync(
                        context,
                        await door.Engine.ConvertNotebook.RunAsync(notebook, file.Name, Format(context), context.RequestAborted)
                    );
                }
            )
        );
        routes.MapPost(
            "/nbconvert/{format}",
            (RequestDelegate)(
                async context =>
                {
                    JsonElement model = await JupyterBody.ReadObjectAsync(context, NotebookBytesMax);
                    if (!model.TryGetProperty("content", out JsonElement content) || content.ValueKind != JsonValueKind.Object)
                    {
                        throw new RefusedException(ErrorCodes.InvalidRequest, "The field 'content' must be a notebook.");
                    }

                    byte[] notebook = System.Text.Encoding.UTF8.GetBytes(content.GetRawText());
                    await SendAsync(
                        context,
                        await door.Engine.ConvertNotebook.RunAsync(
                            notebook,
                            JupyterBody.Text(model, "name") ?? "notebook.ipynb",
                            Format(context),
                            context.RequestAborted
                        )
                    );
                }
            )
        );
    }

    /// <summary>
    /// Shown in place unless it is to be kept. A page made of a notebook is a stranger's: in a sandbox it can run scripts, but reads no
    /// cookie of ours.
    /// </summary>
    private static async Task SendAsync(HttpContext context, ConvertedNotebook converted)
    {
        HttpResponse response = context.Response;
        response.ContentType = converted.MediaType.StartsWith("text/", StringComparison.Ordinal)
            ? converted.MediaType + "; charset=utf-8"
            : converted.MediaType;
        bool isKept = context.Request.Query["download"] == "true" || converted.MediaType == "application/zip";
        var disposition = new ContentDispositionHeaderValue(isKept ? "attachment" : "inline");
        disposition.SetHttpFileName(converted.FileName);
        response.Headers.ContentDisposition = disposition.ToString();
        response.Headers.ContentSecurityPolicy = "sandbox allow-scripts";
        response.Headers.XContentTypeOptions = "nosniff";
        response.ContentLength = converted.Content.Length;
        await response.BodyWriter.WriteAsync(converted.Content, context.RequestAborted);
    }

    private static string Format(HttpContext context) => (string)context.Request.RouteValues["format"]!;
}
