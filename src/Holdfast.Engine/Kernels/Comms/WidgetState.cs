using System.Buffers;
using System.Text.Json;

namespace Holdfast.Engine.Kernels.Comms;

/// <summary>
/// The document that ipywidgets keeps in a notebook's metadata, application/vnd.jupyter.widget-state+json: from it a front end shows
/// widgets whose kernel is gone, busy, or new to it. Widgets whose state is not all here are left out.
/// </summary>
public static class WidgetState
{
    public const string MimeType = "application/vnd.jupyter.widget-state+json";

    /// <summary>What an output has that shows a widget.</summary>
    public const string ViewMimeType = "application/vnd.jupyter.widget-view+json";

    private static readonly (string Name, string From)[] Names =
    [
        ("model_name", "_model_name"),
        ("model_module", "_model_module"),
        ("model_module_version", "_model_module_version"),
    ];

    /// <param name="before">Such a document; models of it that are not among the comms are kept, since other outputs may show them. Empty
    /// for none.</param>
    public static byte[] ToJson(IReadOnlyList<OpenComm> comms, ReadOnlyMemory<byte> before)
    {
        var json = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(json);
        using JsonDocument? old = before.IsEmpty ? null : JsonDocument.Parse(before, new JsonDocumentOptions { MaxDepth = 1000 });
        Write(writer, comms, old?.RootElement);
        writer.Flush();
        return json.WrittenSpan.ToArray();
    }

    public static void Write(Utf8JsonWriter writer, IReadOnlyList<OpenComm> comms, JsonElement? before = null)
    {
        HashSet<string> here = [.. comms.Where(IsWhole).Select(static c => c.Id)];
        writer.WriteStartObject();
        writer.WriteStartObject("state");
        if (
            before is { ValueKind: JsonValueKind.Object } document
            && document.TryGetProperty("state", out JsonElement models)
            && models.ValueKind == JsonValueKind.Object
        )
        {
            foreach (JsonProperty model in models.EnumerateObject().Where(m => !here.Contains(m.Name)))
            {
                model.WriteTo(writer);
            }
        }

        foreach (OpenComm comm in comms.Where(IsWhole))
        {
            writer.WriteStartObject(comm.Id);
            foreach ((string name, string from) in Names)
            {
                if (comm.State!.TryGetValue(from, out ReadOnlyMemory<byte> value))
                {
                    writer.WritePropertyName(name);
                    writer.WriteRawValue(value.Span, skipInputValidation: true);
                }
            }

            WriteModel(writer, comm);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteNumber("version_major", 2);
        writer.WriteNumber("version_minor", 0);
        writer.WriteEndObject();
    }

    /// <summary>The members <c>state</c> and, where there are any, <c>buffers</c>.</summary>
    public static void WriteModel(Utf8JsonWriter writer, OpenComm comm)
    {
        writer.WriteStartObject("state");
        foreach ((string name, ReadOnlyMemory<byte> value) in comm.State!)
        {
            writer.WritePropertyName(name);
            writer.WriteRawValue(value.Span, skipInputValidation: true);
        }

        writer.WriteEndObject();
        if (comm.Buffers.Count == 0)
        {
            return;
        }

        writer.WriteStartArray("buffers");
        foreach (CommBuffer buffer in comm.Buffers)
        {
            writer.WriteStartObject();
            writer.WritePropertyName("path");
            writer.WriteRawValue(buffer.Path.Span, skipInputValidation: true);
            writer.WriteString("encoding", "base64");
            writer.WriteBase64String("data", buffer.Bytes.Span);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static bool IsWhole(OpenComm comm) => comm is { State: not null, IsTruncated: false };
}
