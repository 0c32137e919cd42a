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
        PipeReader body = context.Request.BodyReader;
        while (true)
        {
            ReadResult read = await body.ReadAsync(context.RequestAborted);
            if (read.IsCompleted)
            {
                T value = Parse(read.Buffer, type);
                body.AdvanceTo(read.Buffer.End);
                return value;
            }

            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    public static async Task<byte[]> ReadBytesAsync(HttpContext context, int bytesMax, string tooLarge)
    {
        PipeReader body = context.Request.BodyReader;
        while (true)
        {
            ReadResult read = await body.ReadAsync(context.RequestAborted);
            if (read.Buffer.Length > bytesMax)
            {
                throw new RefusedException(ErrorCodes.BodyTooLarge, tooLarge);
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

    private static T Parse<T>(ReadOnlySequence<byte> bytes, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            var reader = new Utf8JsonReader(bytes);
            T value = JsonSerializer.Deserialize(ref reader, type) ?? throw new RefusedException(ErrorCodes.InvalidRequest, "The body is null; an object is needed.");
            while (reader.Read())
            {
            }

            return value;
        }
        catch (JsonException e) when (e.InnerException is null && e.Path is { Length: > 0 } path && path != "$" && !IsSyntax(bytes))
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, $"The field {path[(path.StartsWith("$.", StringComparison.Ordinal) ? 2 : 0)..]} is not known or not of the right kind: {Sentence(e)}");
        }
        catch (JsonException e)
        {
            throw IsSyntax(bytes)
                ? new RefusedException(ErrorCodes.InvalidJson, $"The body is not valid JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}: {Sentence(e)}")
                : new RefusedException(ErrorCodes.InvalidRequest, Sentence(e));
        }
    }

    /// <summary>True when the text itself is no JSON, as against JSON of another shape than was asked for.</summary>
    private static bool IsSyntax(ReadOnlySequence<byte> bytes)
    {
        try
        {
            var reader = new Utf8JsonReader(bytes);
            while (reader.Read())
            {
            }

            return false;
        }
        catch (JsonException)
        {
            return true;
        }
    }

    private static string Sentence(JsonException e)
    {
        int details = e.Message.IndexOf(" Path: ", StringComparison.Ordinal);
        int line = e.Message.IndexOf(" LineNumber: ", StringComparison.Ordinal);
        int end = details >= 0 ? details : line;
        return end >= 0 ? e.Message[..end] : e.Message;
    }
}
