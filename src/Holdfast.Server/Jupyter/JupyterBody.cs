using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Holdfast.Engine;

namespace Holdfast.Server.Jupyter;

/// <summary>Reads a request's JSON body. Fields nobody knows are ignored: every client sends some of its own.</summary>
internal static class JupyterBody
{
    /// <summary>For bodies that are small by nature. What carries content has a bound of its own.</summary>
    public const long BytesMax = 8 * 1024 * 1024;

    /// <summary>
    /// The object sent; an empty one when there was no body, or null. Refused: invalid-json, invalid-request, body-too-large.
    /// </summary>
    public static async Task<JsonElement> ReadObjectAsync(HttpContext context, long bytesMax = BytesMax)
    {
        JsonElement body = Parse(await ReadBytesAsync(context, bytesMax));
        return body.ValueKind == JsonValueKind.Object
            ? body
            : throw new RefusedException(ErrorCodes.InvalidRequest, "The body is JSON, but not an object.");
    }

    public static async Task<byte[]> ReadBytesAsync(HttpContext context, long bytesMax)
    {
        PipeReader body = context.Request.BodyReader;
        while (true)
        {
            ReadResult read = await body.ReadAsync(context.RequestAborted);
            if (read.Buffer.Length > bytesMax || context.Request.ContentLength > bytesMax)
            {
                body.AdvanceTo(read.Buffer.End); // So that what is still being sent is drained and the sender hears the refusal.
                throw new RefusedException(ErrorCodes.BodyTooLarge, $"The body is larger than {bytesMax} bytes.");
            }

            if (read.IsCompleted)
            {
                byte[] bytes = read.Buffer.ToArray();
                body.AdvanceTo(read.Buffer.End);
                return bytes;
            }

            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>A text field; null when it is absent, null or empty. Refused when it is of another kind.</summary>
    public static string? Text(JsonElement body, string name) =>
        !body.TryGetProperty(name, out JsonElement value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind != JsonValueKind.String
            ? throw new RefusedException(ErrorCodes.InvalidRequest, $"The field '{name}' must be text.")
        : value.GetString() is { Length: > 0 } text ? text
        : null;

    private static JsonElement Parse(byte[] bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(
                bytes.AsSpan().Trim(" \r\n\t"u8).IsEmpty || bytes.AsSpan().SequenceEqual("null"u8) ? "{}"u8.ToArray() : bytes
            );
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new RefusedException(
                ErrorCodes.InvalidJson,
                $"The body is not valid JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}."
            );
        }
    }
}
