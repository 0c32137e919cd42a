using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Holdfast.Server.Rest;

/// <summary>JSON as text, for where it travels inside something else.</summary>
internal static class RestText
{
    /// <summary>Text stays readable: these answers are JSON documents, never pasted into a page.</summary>
    public static readonly JsonWriterOptions Options = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Of(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            write(writer);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
