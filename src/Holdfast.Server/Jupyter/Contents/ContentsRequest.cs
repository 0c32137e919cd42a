using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Contents;
using Microsoft.AspNetCore.Http.Features;

namespace Holdfast.Server.Jupyter.Contents;

/// <summary>What a request says of contents: its path as it was sent, its query, its body with the content left as it is.</summary>
internal sealed record ContentsRequest
{
    /// <summary>A notebook with its outputs comes in one body. As Jupyter's own limit.</summary>
    private const int BodyBytesMax = 512 << 20;

    private const int DepthMax = 512;
    private const int FirstBufferBytes = 16 * 1024;

    public bool HasBody { get; private init; }
    public string? Path { get; private set; }
    public string? CopyFrom { get; private set; }
    public string Extension { get; private set; } = "";
    public ContentsType? Type { get; private set; }
    public ContentsFormat? Format { get; private set; }
    public int? Chunk { get; private set; }

    /// <summary>JSON, as it was sent; empty when there was none.</summary>
    public ReadOnlyMemory<byte> Content { get; private set; }

    /// <summary>
    /// The path after a prefix of the route, decoded once. Taken from what was sent: the server's own decoding leaves %2F as it is and has
    /// already joined dot segments, and both must be seen here.
    /// </summary>
    public static ContentsPath PathAfter(HttpContext context, string prefix)
    {
        string target = context.Features.Get<IHttpRequestFeature>()?.RawTarget is { Length: > 0 } raw
            ? raw
            : context.Request.Path.ToUriComponent();
        int query = target.IndexOf('?', StringComparison.Ordinal);
        target = query < 0 ? target : target[..query];
        int start = target.IndexOf(prefix, StringComparison.Ordinal);

        // Routing matched the decoded path: one whose prefix was itself encoded is nobody's who means well.
        return ContentsPath.Parse(
            start < 0 ? context.Request.Path.Value![prefix.Length..] : Uri.UnescapeDataString(target[(start + prefix.Length)..])
        );
    }

    public static ContentsQuery Query(HttpContext context, ContentsPath path) =>
        new(path)
        {
            Type = TypeOf(Text(context, "type")),
            Format = Text(context, "format") switch
            {
                null => null,
                "text" => ContentsFormat.Text,
                "base64" => ContentsFormat.Base64,
                { } other => throw Invalid($"Format '{other}' is not known; it is text or base64."),
            },
            WithContent = Flag(context, "content", true),
            WithHash = Flag(context, "hash", false),
        };

    /// <summary>Refused: invalid-json, invalid-request, body-too-large.</summary>
    public static async Task<ContentsRequest> ReadAsync(HttpContext context)
    {
        ReadOnlyMemory<byte> body = await ReadBodyAsync(context);
        if (body.Span.Trim(" \r\n\t"u8).IsEmpty || body.Span.SequenceEqual("null"u8))
        {
            return new ContentsRequest();
        }

        try
        {
            var request = new ContentsRequest { HasBody = true };
            request.Take(body);
            return request;
        }
        catch (JsonException e)
        {
            throw new RefusedException(
                ErrorCodes.InvalidJson,
                $"The body is not valid JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}."
            );
        }
    }

    private void Take(ReadOnlyMemory<byte> body)
    {
        var reader = new Utf8JsonReader(body.Span, new JsonReaderOptions { MaxDepth = DepthMax });
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw Invalid("The body is JSON, but not an object.");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            switch (name)
            {
                case "path":
                    Path = TextOf(ref reader, name);
                    break;
                case "copy_from":
                    CopyFrom = TextOf(ref reader, name);
                    break;
                case "ext":
                    Extension = TextOf(ref reader, name) ?? "";
                    break;
                case "type":
                    Type = TypeOf(TextOf(ref reader, name));
                    break;
                case "format":
                    Format = FormatOf(TextOf(ref reader, name));
                    break;
                case "chunk":
                    Chunk =
                        reader.TokenType == JsonTokenType.Null ? null
                        : reader.TokenType == JsonTokenType.Number
                        && reader.TryGetInt32(out int chunk)
                        && chunk is UploadContents.LastChunk or >= 1
                            ? chunk
                        : throw Invalid("chunk must be a number from 1 on, or -1 for the last.");
                    break;
                case "content":
                    int start = (int)reader.TokenStartIndex;
                    reader.Skip();
                    Content = reader.TokenType == JsonTokenType.Null ? default : body[start..(int)reader.BytesConsumed];
                    break;
                default:
                    reader.Skip();
                    break; // Models are sent back whole, with fields that are ours to say.
            }
        }

        while (reader.Read()) { }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpContext context)
    {
        byte[] buffer = new byte[(int)Math.Clamp(context.Request.ContentLength ?? 0, FirstBufferBytes, BodyBytesMax) + 1];
        int length = 0;
        while (await context.Request.Body.ReadAsync(buffer.AsMemory(length), context.RequestAborted) is > 0 and var read)
        {
            length += read;
            if (length > BodyBytesMax)
            {
                throw new RefusedException(
                    ErrorCodes.BodyTooLarge,
                    $"The body is larger than {BodyBytesMax} bytes. Send large files in chunks."
                );
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, (int)Math.Min(2L * buffer.Length, BodyBytesMax + 1L));
            }
        }

        return buffer.AsMemory(0, length);
    }

    private static string? TextOf(ref Utf8JsonReader reader, string name) =>
        reader.TokenType switch
        {
            JsonTokenType.Null => null,
            JsonTokenType.String => reader.GetString() is { Length: > 0 } text ? text : null,
            _ => throw Invalid($"The field '{name}' must be text."),
        };

    private static string? Text(HttpContext context, string name) =>
        context.Request.Query.TryGetValue(name, out var value) && value.ToString() is { Length: > 0 } text ? text : null;

    private static bool Flag(HttpContext context, string name, bool otherwise) =>
        Text(context, name) switch
        {
            null => otherwise,
            "0" => false,
            "1" => true,
            { } text => throw Invalid($"The query parameter {name} is '{text}'; it must be 0 or 1."),
        };

    private static ContentsType? TypeOf(string? text) =>
        text switch
        {
            null => null,
            "file" => ContentsType.File,
            "notebook" => ContentsType.Notebook,
            "directory" => ContentsType.Directory,
            _ => throw Invalid($"Type '{text}' is not known; it is file, notebook or directory."),
        };

    private static ContentsFormat? FormatOf(string? text) =>
        text switch
        {
            null => null,
            "text" => ContentsFormat.Text,
            "base64" => ContentsFormat.Base64,
            "json" => ContentsFormat.Json,
            _ => throw Invalid($"Format '{text}' is not known; it is text, base64 or json."),
        };

    private static RefusedException Invalid(string message) => new(ErrorCodes.InvalidRequest, message);
}
