using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Holdfast.Server.Cli;

/// <summary>
/// Reads the server's answers leniently: a field that is missing, null or of another kind is null, so that an older or newer server does no
/// harm.
/// </summary>
internal static class JsonFields
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static JsonElement Parse(ReadOnlyMemory<byte> json) => JsonDocument.Parse(json).RootElement;

    public static string? Text(this JsonElement element, string name) =>
        Field(element, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    public static long? Integer(this JsonElement element, string name) =>
        Field(element, name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out long number) ? number : null;

    public static bool? Boolean(this JsonElement element, string name) =>
        Field(element, name)?.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => null,
        };

    public static DateTimeOffset? Instant(this JsonElement element, string name) =>
        Field(element, name) is { ValueKind: JsonValueKind.String } value && value.TryGetDateTimeOffset(out DateTimeOffset instant)
            ? instant
            : null;

    public static JsonElement? Field(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) ? value : null;

    /// <summary>The elements of a list; none when it is not there.</summary>
    public static IReadOnlyList<JsonElement> Items(this JsonElement element, string name)
    {
        var items = new List<JsonElement>();
        if (Field(element, name) is { ValueKind: JsonValueKind.Array } list)
        {
            foreach (JsonElement item in list.EnumerateArray())
            {
                items.Add(item);
            }
        }

        return items;
    }

    public static bool HasEnded(this JsonElement execution) =>
        execution.Text("state") is "succeeded" or "failed" or "cancelled" or "timedOut" or "lost" or "blocked";

    /// <summary>The element on one line.</summary>
    public static string Line(this JsonElement element) => Encoding.UTF8.GetString(Write(element.WriteTo));

    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            write(json);
        }

        return buffer.ToArray();
    }
}
