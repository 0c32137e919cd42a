using System.Text.Json;
using Holdfast.Engine.Contents;

namespace Holdfast.Server.Jupyter.Contents;

/// <summary>
/// Writes models as Jupyter's clients check them: every key there, null where there is nothing. Content comes last and piece by piece, so
/// that a large one is not held twice.
/// </summary>
internal static class ContentsJson
{
    private const int PieceBytes = 256 * 1024;

    public static async Task WriteAsync(HttpContext context, int status, ContentsModel model)
    {
        JupyterAnswer.Begin(context.Response, status);
        context.Response.Headers.LastModified = DateTimeOffset
            .UnixEpoch.AddMicroseconds(model.ModifiedAt)
            .ToString("R", System.Globalization.CultureInfo.InvariantCulture);
        using var writer = new Utf8JsonWriter(context.Response.BodyWriter, JupyterText.Options);
        WriteHead(writer, model);
        if (model.Content is not ContentsBody.Bytes bytes)
        {
            WriteListing(writer, model);
            await writer.FlushAsync(context.RequestAborted);
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            return;
        }

        if (model.Format == ContentsFormat.Json)
        {
            // JSON already: the writer is told nothing of it, and only what is behind it is missing.
            await writer.FlushAsync(context.RequestAborted);
            for (ReadOnlyMemory<byte> rest = bytes.Value; rest.Length > 0; rest = rest[Math.Min(PieceBytes, rest.Length)..])
            {
                await context.Response.BodyWriter.WriteAsync(rest[..Math.Min(PieceBytes, rest.Length)], context.RequestAborted);
            }

            await context.Response.BodyWriter.WriteAsync("}"u8.ToArray(), context.RequestAborted);
            return;
        }

        await WriteStringAsync(context, writer, bytes.Value, model.Format == ContentsFormat.Base64);
        writer.WriteEndObject();
        await writer.FlushAsync(context.RequestAborted);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    public static void Write(Utf8JsonWriter writer, CheckpointModel checkpoint)
    {
        writer.WriteStartObject();
        writer.WriteString("id", checkpoint.Id);
        writer.WriteString("last_modified", JupyterText.Time(checkpoint.ModifiedAt));
        writer.WriteEndObject();
    }

    private static async Task WriteStringAsync(HttpContext context, Utf8JsonWriter writer, ReadOnlyMemory<byte> bytes, bool isBase64)
    {
        while (true)
        {
            ReadOnlyMemory<byte> piece = bytes[..Math.Min(PieceBytes, bytes.Length)];
            bytes = bytes[piece.Length..];
            if (isBase64)
            {
                writer.WriteBase64StringSegment(piece.Span, bytes.IsEmpty);
            }
            else
            {
                writer.WriteStringValueSegment(piece.Span, bytes.IsEmpty);
            }

            if (bytes.IsEmpty)
            {
                return;
            }

            await writer.FlushAsync(context.RequestAborted);
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        }
    }

    private static void WriteListing(Utf8JsonWriter writer, ContentsModel model)
    {
        if (model.Content is ContentsBody.Listing listing)
        {
            writer.WriteStartArray();
            foreach (ContentsModel entry in listing.Entries)
            {
                WriteHead(writer, entry);
                writer.WriteNullValue();
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }
        else
        {
            writer.WriteNullValue();
        }

        writer.WriteEndObject();
    }

    /// <summary>Up to and with the name of the content.</summary>
    private static void WriteHead(Utf8JsonWriter writer, ContentsModel model)
    {
        writer.WriteStartObject();
        writer.WriteString("name", model.Path.Name);
        writer.WriteString("path", model.Path.Text);
        writer.WriteString("type", model.Type.ToString().ToLowerInvariant());
        writer.WriteBoolean("writable", model.IsWritable);
        writer.WriteString("created", JupyterText.Time(model.CreatedAt));
        writer.WriteString("last_modified", JupyterText.Time(model.ModifiedAt));
        writer.WriteString("mimetype", model.MimeType);
        if (model.Size is { } size)
        {
            writer.WriteNumber("size", size);
        }
        else
        {
            writer.WriteNull("size");
        }

        writer.WriteString("format", model.Format?.ToString().ToLowerInvariant());
        writer.WriteString("hash", model.Hash);
        writer.WriteString("hash_algorithm", model.Hash is null ? null : "sha256");
        writer.WritePropertyName("content");
    }
}
