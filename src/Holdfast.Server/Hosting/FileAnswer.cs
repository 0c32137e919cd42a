using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Server.Hosting;

/// <summary>
/// Answers with a file's bytes, streamed: whole, one range of them, none when the client has them, or none when only their headers were
/// asked for (RFC 9110, 13 and 14).
/// </summary>
internal static class FileAnswer
{
    private const int PieceBytes = 128 * 1024;

    /// <param name="tag">Of this very content, with its quotation marks.</param>
    public static async Task SendAsync(HttpContext context, SafeFileHandle file, long length, string tag)
    {
        HttpResponse response = context.Response;
        response.Headers.AcceptRanges = "bytes";
        response.Headers.ETag = tag;
        if (context.Request.Headers.IfNoneMatch.ToString() == tag)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        // A range of another version than the one that is half there would be no use.
        bool isSame = context.Request.Headers.IfRange is not { Count: > 0 } condition || condition.ToString() == tag;
        ByteRange? range = isSame ? ByteRange.Parse(context.Request.Headers.Range, length) : null;
        if (range is { Length: < 0 })
        {
            response.StatusCode = StatusCodes.Status416RangeNotSatisfiable;
            response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{length}");
            return;
        }

        ByteRange sent = range ?? new ByteRange(0, length);
        if (range is not null)
        {
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = string.Create(
                CultureInfo.InvariantCulture,
                $"bytes {sent.Start}-{sent.Start + sent.Length - 1}/{length}"
            );
        }

        response.ContentLength = sent.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await CopyAsync(context, file, sent);
        }
    }

    private static async Task CopyAsync(HttpContext context, SafeFileHandle file, ByteRange range)
    {
        for (long at = range.Start, end = range.Start + range.Length; at < end; )
        {
            Memory<byte> piece = context.Response.BodyWriter.GetMemory(PieceBytes);
            int length = await RandomAccess.ReadAsync(file, piece[..(int)Math.Min(piece.Length, end - at)], at, context.RequestAborted);
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
