using System.Globalization;
using Holdfast.Engine.Contents;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Jupyter.Contents;

/// <summary>
/// <c>/files</c>: a file's bytes as they are, streamed, whole or one range of them. Pages among them run in a sandbox without our origin:
/// their scripts cannot call this server as the person who looks at them.
/// </summary>
internal static class FileEndpoints
{
    private const string Prefix = "/files";

    public static void Map(IEndpointRouteBuilder routes, EngineDoor door) =>
        routes.MapMethods(Prefix + "/{**path}", ["GET", "HEAD"], (RequestDelegate)(context => SendAsync(context, door)));

    private static async Task SendAsync(HttpContext context, EngineDoor door)
    {
        ContentsPath path = ContentsRequest.PathAfter(context, Prefix);
        using OpenedFile file = await Task.Run(() => door.Engine.Contents.OpenFile.Run(path), context.RequestAborted);
        HttpResponse response = context.Response;
        response.ContentType = file.MimeType;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = "frame-ancestors 'self'; sandbox allow-scripts";
        response.Headers.LastModified = DateTimeOffset
            .UnixEpoch.AddMicroseconds(file.ModifiedAt)
            .ToString("R", CultureInfo.InvariantCulture);
        response.Headers.CacheControl = "no-cache"; // Kept, but asked for again each time.
        if (context.Request.Query.TryGetValue("download", out var download) && download.ToString() is { Length: > 0 } and not "0")
        {
            response.Headers.ContentDisposition = $"attachment; filename*=UTF-8''{Uri.EscapeDataString(file.Name)}";
        }

        await FileAnswer.SendAsync(context, file.Stream.SafeFileHandle, file.Length, file.Tag);
    }
}
