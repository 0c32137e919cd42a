using System.Text.Json;

namespace Holdfast.Engine;

/// <summary>Fields that are always there, and null where there is nothing to tell.</summary>
public static class JsonFields
{
    public static void WriteNumberOrNull(this Utf8JsonWriter writer, string name, long? value)
    {
        if (value is { } known)
        {
            writer.WriteNumber(name, known);
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    public static void WriteTimeOrNull(this Utf8JsonWriter writer, string name, long? microseconds) =>
        writer.WriteString(name, microseconds is { } known ? UnixTime.Text(known) : null);
}
