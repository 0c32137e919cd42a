using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Holdfast.Server.Rest;

/// <summary>JSON as text, for where it travels inside something else.</summary>
internal static class RestText
{
    public static string Of(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            write(writer);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
