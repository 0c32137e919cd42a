using System.Text.Json;

namespace Holdfast.Server.Jupyter.Terminals;

/// <summary>What a terminal's client may say.</summary>
internal enum TerminalMessageKind
{
    /// <summary>An array that begins with a word we do not know: left alone, as Jupyter's own server does.</summary>
    Other,
    StandardInput,
    Size,
}

/// <summary>
/// One message of the terminal protocol (terminado's): a JSON array whose first element is a word. From a client <c>["stdin", text]</c> and
/// <c>["set_size", rows, columns, height, width]</c>; to it <c>["setup", {}]</c>, <c>["stdout", text]</c> and <c>["disconnect", 1]</c>.
/// </summary>
internal readonly record struct TerminalMessage(TerminalMessageKind Kind, string Text, int Rows, int Columns)
{
    /// <summary>False when it is no such array, or its elements are of the wrong kind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> json, out TerminalMessage message)
    {
        message = default;
        var reader = new Utf8JsonReader(json);
        try
        {
            if (
                !reader.Read()
                || reader.TokenType != JsonTokenType.StartArray
                || !reader.Read()
                || reader.TokenType != JsonTokenType.String
            )
            {
                return false;
            }

            bool isRead = true;
            if (reader.ValueTextEquals("stdin"u8))
            {
                isRead = reader.Read() && reader.TokenType == JsonTokenType.String;
                message = isRead ? new TerminalMessage(TerminalMessageKind.StandardInput, reader.GetString()!, 0, 0) : default;
            }
            else if (reader.ValueTextEquals("set_size"u8))
            {
                isRead = TryReadSize(ref reader, out int rows) & TryReadSize(ref reader, out int columns);
                message = isRead ? new TerminalMessage(TerminalMessageKind.Size, "", rows, columns) : default;
            }

            while (isRead && reader.Read()) { }

            return isRead;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // No JSON; or a text with half of a surrogate pair, which is no text.
            return false;
        }
    }

    /// <summary>Null stands for a window that is not shown; like anything else that is no size it is 0 here.</summary>
    private static bool TryReadSize(ref Utf8JsonReader reader, out int size)
    {
        size = 0;
        if (!reader.Read() || reader.TokenType is not (JsonTokenType.Number or JsonTokenType.Null))
        {
            return false;
        }

        size =
            reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out double given) && given is >= 1 and <= ushort.MaxValue
                ? (int)given
                : 0;
        return true;
    }

    public static void WriteSetup(Utf8JsonWriter writer)
    {
        writer.WriteStartArray();
        writer.WriteStringValue("setup"u8);
        writer.WriteStartObject();
        writer.WriteEndObject();
        writer.WriteEndArray();
    }

    public static void WriteStandardOutput(Utf8JsonWriter writer, ReadOnlySpan<char> text)
    {
        writer.WriteStartArray();
        writer.WriteStringValue("stdout"u8);
        writer.WriteStringValue(text);
        writer.WriteEndArray();
    }

    public static void WriteDisconnect(Utf8JsonWriter writer)
    {
        writer.WriteStartArray();
        writer.WriteStringValue("disconnect"u8);
        writer.WriteNumberValue(1);
        writer.WriteEndArray();
    }
}
