using System.Buffers;
using System.Text.Json;

namespace Holdfast.Server.Jupyter.Events;

/// <summary>An event as subscribers read it: one JSON object whose fields stand beside the id of their schema.</summary>
internal static class EventText
{
    public static byte[] Write(string schema, Action<Utf8JsonWriter> writeFields)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, JupyterText.Options))
        {
            writer.WriteStartObject();
            writer.WriteString("schema_id", schema);
            writeFields(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
