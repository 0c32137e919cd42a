using System.Globalization;
using Holdfast.Engine.Contents;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Jupyter.Contents;

/// <summary>
/// <c>/files</c>: a file's bytes as they are, streamed, whole or one range of them. Pages among them run in a sandbox without our origin: their scripts cannot call this server as the
/// person who looks at them.
/// </summary>
internal static class FileEndpoints
{
    private const string Prefix = "/files";
    private const int PieceBytes = 128 * 1024;

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
        response.Headers.AcceptRanges = "bytes";
        response.Headers.ETag = file.Tag;
        response.Headers.LastModified = DateTimeOffset.UnixEpoch.AddMicroseconds(file.ModifiedAt).ToString("R", CultureInfo.InvariantCulture);
        response.Headers.CacheControl = "no-cache"; // Kept, but asked for again each time.
        if (context.Request.Query.TryGetValue("download", out var download) && download.ToString() is { Length: > 0 } and not "0")
        {
            response.Headers.ContentDisposition = $"attachment; filename*=UTF-8''{Uri.EscapeDataString(file.Name)}";
        }

        if (context.Request.Headers.IfNoneMatch.ToString() == file.Tag)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        // A range of another version than the one that is half there would be no use.
        bool isSame = context.Request.Headers.IfRange is not { Count: > 0 } condition || condition.ToString() == file.Tag;
        ByteRange? range = isSame ? ByteRange.Parse(context.Request.Headers.Range, file.Length) : null;
        if (range is { Length: < 0 })
        {
            response.StatusCode = StatusCodes.Status416RangeNotSatisfiable;
            response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{file.Length}");
            return;
        }

        ByteRange sent = range ?? new ByteRange(0, file.Length);
        if (range is not null)
        {
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {sent.Start}-{sent.Start + sent.Length - 1}/{file.Length}");
        }

        response.ContentLength = sent.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await CopyAsync(context, file, sent);
        }
    }

    private static async Task CopyAsync(HttpContext context, OpenedFile file, ByteRange range)
    {
        for (long at = range.Start, end = range.Start + range.Length; at < end;)
        {
            Memory<byte> piece = context.Response.BodyWriter.GetMemory(PieceBytes);
            int length = await RandomAccess.ReadAsync(file.Stream.SafeFileHandle, piece[..(int)Math.Min(piece.Length, end - at)], at, context.RequestAborted);
            if (length == 0)
            {
                context.Abort(); // It was cut short while it was read; what was promised cannot be sent.
                return;
            }

            context.Response.BodyWriter.Advance(length);
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            at += length;
        }
    }
}
