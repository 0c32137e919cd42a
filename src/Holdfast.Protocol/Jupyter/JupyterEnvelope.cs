using System.Buffers;
using System.Text.Json;

namespace Holdfast.Protocol.Jupyter;

/// <summary>
/// Builds the messages we send: multiparts of unsigned frames (header, parent, metadata, content, buffers...). The supervisor, which alone
/// holds the kernel's key, adds delimiter and signature when it sends.
/// </summary>
public static class JupyterEnvelope
{
    private static readonly byte[] EmptyObject = "{}"u8.ToArray();

    /// <summary>One message, encoded as <see cref="Multipart"/>. An empty parent, metadata or content is sent as <c>{}</c>.</summary>
    public static byte[] Build(
        JupyterHeader header,
        ReadOnlyMemory<byte> content = default,
        ReadOnlyMemory<byte> metadata = default,
        ReadOnlyMemory<byte> parent = default,
        params ReadOnlySpan<ReadOnlyMemory<byte>> buffers
    )
    {
        var headerJson = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(headerJson))
        {
            header.Write(writer);
        }

        var frames = new ReadOnlyMemory<byte>[4 + buffers.Length];
        frames[0] = headerJson.WrittenMemory;
        frames[1] = OrEmptyObject(parent);
        frames[2] = OrEmptyObject(metadata);
        frames[3] = OrEmptyObject(content);
        buffers.CopyTo(frames.AsSpan(4));
        return Multipart.Encode(frames);
    }

    /// <summary>The content of an execute_request.</summary>
    public static byte[] ExecuteContent(
        string code,
        bool silent = false,
        bool storeHistory = true,
        bool allowStdin = false,
        bool stopOnError = true
    )
    {
        var json = new ArrayBufferWriter<byte>(code.Length + 128);
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteString("code"u8, code);
            writer.WriteBoolean("silent"u8, silent);
            writer.WriteBoolean("store_history"u8, storeHistory);
            writer.WriteStartObject("user_expressions"u8);
            writer.WriteEndObject();
            writer.WriteBoolean("allow_stdin"u8, allowStdin);
            writer.WriteBoolean("stop_on_error"u8, stopOnError);
            writer.WriteEndObject();
        }

        return json.WrittenSpan.ToArray();
    }

    /// <summary>The content of an input_reply.</summary>
    public static byte[] InputContent(string value)
    {
        var json = new ArrayBufferWriter<byte>(value.Length + 32);
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteString("value"u8, value);
            writer.WriteEndObject();
        }

        return json.WrittenSpan.ToArray();
    }

    /// <summary>The content of a shutdown_request.</summary>
    public static byte[] ShutdownContent(bool restart) => (restart ? "{\"restart\":true}"u8 : "{\"restart\":false}"u8).ToArray();

    private static ReadOnlyMemory<byte> OrEmptyObject(ReadOnlyMemory<byte> json) => json.IsEmpty ? EmptyObject : json;
}
