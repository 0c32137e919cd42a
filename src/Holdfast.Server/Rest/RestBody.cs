using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Holdfast.Engine;

namespace Holdfast.Server.Rest;

/// <summary>Reads a request's JSON body, and says where it is wrong.</summary>
internal static class RestBody
{
    public static async Task<T> ReadJsonAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        ReadOnlySequence<byte> whole = await ReadWholeAsync(
            context,
            RestLimits.BodyBytesMax,
            $"The body is larger than {RestLimits.BodyBytesMax} bytes. Put large input into a file and name it."
        );
        try
        {
            return Parse(whole, type);
        }
        finally
        {
            // Also of a body that is refused: a reader that is left in the middle breaks the connection for the next request.
            context.Request.BodyReader.AdvanceTo(whole.End);
        }
    }

    public static async Task<byte[]> ReadBytesAsync(HttpContext context, int bytesMax, string tooLarge)
    {
        ReadOnlySequence<byte> whole = await ReadWholeAsync(context, bytesMax, tooLarge);
        byte[] bytes = whole.ToArray();
        context.Request.BodyReader.AdvanceTo(whole.End);
        return bytes;
    }

    /// <summary>The whole body, which the caller gives back by AdvanceTo.</summary>
    private static async Task<ReadOnlySequence<byte>> ReadWholeAsync(HttpContext context, long bytesMax, string tooLarge)
    {
        PipeReader body = context.Request.BodyReader;
        while (true)
        {
            ReadResult read = await body.ReadAsync(context.RequestAborted);
            if (read.Buffer.Length > bytesMax || context.Request.ContentLength > bytesMax)
            {
                // Given back, so that what is still being sent is drained and the sender hears the refusal.
                body.AdvanceTo(read.Buffer.End);
                throw new RefusedException(ErrorCodes.BodyTooLarge, tooLarge);
            }

            if (read.IsCompleted)
            {
                return read.Buffer;
            }

            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static T Parse<T>(ReadOnlySequence<byte> bytes, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            var reader = new Utf8JsonReader(bytes);
            T value =
                JsonSerializer.Deserialize(ref reader, type)
                ?? throw new RefusedException(ErrorCodes.InvalidRequest, "The body is null; an object is needed.");
            while (reader.Read()) { }

            return value;
        }
        catch (JsonException e)
        {
            if (SyntaxError(bytes) is { } syntax)
            {
                throw new RefusedException(
                    ErrorCodes.InvalidJson,
                    $"The body is not valid JSON at line {syntax.LineNumber + 1}, byte {syntax.BytePositionInLine + 1}: {Sentence(syntax)}"
                );
            }

            // System.Text.Json names an unknown field and a field of the wrong kind the same way: by its path.
            string field = Field(e.Path);
            bool isKnown = type.Properties.Any(p => p.Name == field.Split('.', '[')[0]);
            throw new RefusedException(
                ErrorCodes.InvalidRequest,
                field.Length == 0 ? "The body is JSON, but not an object."
                    : isKnown ? $"The field '{field}' is not of the right kind. /v1/openapi.json says what it takes."
                    : $"The field '{field}' is not known to this version; known are: {string.Join(", ", type.Properties.Select(p => p.Name))}."
            );
        }
    }

    /// <summary>
    /// The place that a JSON path names, without its root: <c>$.a[0]</c> or, for a name with other signs in it, <c>$['a b']</c>. Empty for
    /// the body itself.
    /// </summary>
    private static string Field(string? path) =>
        path is null || path.Length < 2 ? ""
        : path.StartsWith("$['", StringComparison.Ordinal) && path.EndsWith("']", StringComparison.Ordinal) ? path[3..^2]
        : path[1..].TrimStart('.');

    /// <summary>What is wrong with the text itself; null when it is JSON, only of another shape than was asked for.</summary>
    private static JsonException? SyntaxError(ReadOnlySequence<byte> bytes)
    {
        try
        {
            var reader = new Utf8JsonReader(bytes);
            while (reader.Read()) { }

            return null;
        }
        catch (JsonException e)
        {
            return e;
        }
    }

    private static string Sentence(JsonException e)
    {
        int line = e.Message.IndexOf(" LineNumber: ", StringComparison.Ordinal);
        return line >= 0 ? e.Message[..line] : e.Message;
    }
}
