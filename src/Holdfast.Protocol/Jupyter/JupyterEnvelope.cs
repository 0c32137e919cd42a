using Holdfast.Protocol.Json;

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
        var frames = new ReadOnlyMemory<byte>[4 + buffers.Length];
        frames[0] = header.Write();
        frames[1] = OrEmptyObject(parent);
        frames[2] = OrEmptyObject(metadata);
        frames[3] = OrEmptyObject(content);
        for (int i = 0; i < buffers.Length; i++)
        {
            frames[4 + i] = buffers[i];
        }

        return Multipart.Encode(frames);
    }

    /// <summary>The content of an execute_request.</summary>
    /// <param name="afterwards">An expression that the kernel evaluates when the code has succeeded; null for none.</param>
    public static byte[] ExecuteContent(
        string code,
        bool silent = false,
        bool storeHistory = true,
        bool allowStdin = false,
        bool stopOnError = true,
        string? afterwards = null
    )
    {
        var json = new PlainJsonWriter();
        json.WriteStartObject();
        json.WriteString("code", code);
        json.WriteBoolean("silent", silent);
        json.WriteBoolean("store_history", storeHistory);
        json.WriteStartObject("user_expressions");
        if (afterwards is not null)
        {
            json.WriteString("holdfast", afterwards);
        }

        json.WriteEndObject();
        json.WriteBoolean("allow_stdin", allowStdin);
        json.WriteBoolean("stop_on_error", stopOnError);
        json.WriteEndObject();
        return json.Written.ToArray();
    }

    /// <summary>The content of an input_reply.</summary>
    public static byte[] InputContent(string value)
    {
        var json = new PlainJsonWriter();
        json.WriteStartObject();
        json.WriteString("value", value);
        json.WriteEndObject();
        return json.Written.ToArray();
    }

    /// <summary>The content of a shutdown_request.</summary>
    public static byte[] ShutdownContent(bool restart) => (restart ? "{\"restart\":true}"u8 : "{\"restart\":false}"u8).ToArray();

    private static ReadOnlyMemory<byte> OrEmptyObject(ReadOnlyMemory<byte> json) => json.IsEmpty ? EmptyObject : json;
}
