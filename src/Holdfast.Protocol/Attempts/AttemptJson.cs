using Holdfast.Protocol.Json;

namespace Holdfast.Protocol.Attempts;

/// <summary>
/// What the attempt folder's readers and writers share. By hand on our own reader, so that a supervisor pays for no serializer at start;
/// unknown fields are skipped, because an older server reads what a newer supervisor wrote and the other way round.
/// </summary>
internal static class AttemptJson
{
    public delegate void WriteFields(PlainJsonWriter writer);

    /// <summary>One object of one line, with a final newline for those who look at it with cat.</summary>
    public static byte[] Write(WriteFields fields, bool endsLine = true)
    {
        var writer = new PlainJsonWriter();
        writer.WriteStartObject();
        fields(writer);
        writer.WriteEndObject();
        if (endsLine)
        {
            writer.WriteRaw("\n"u8);
        }

        return writer.Written.ToArray();
    }

    /// <summary>Moves to the first token of the object; the caller then reads names and values until false.</summary>
    public static void Begin(ref PlainJsonReader reader)
    {
        if (!reader.Read() || reader.TokenType != JsonToken.StartObject)
        {
            throw new JsonSyntaxException("Not an object.");
        }
    }

    public static bool NextName(ref PlainJsonReader reader) => reader.Read() && reader.TokenType == JsonToken.PropertyName;

    public static string[] Texts(ref PlainJsonReader reader)
    {
        if (reader.TokenType != JsonToken.StartArray)
        {
            throw new JsonSyntaxException("Not an array.");
        }

        var texts = new List<string>();
        while (reader.Read() && reader.TokenType != JsonToken.EndArray)
        {
            texts.Add(reader.GetString() ?? throw new JsonSyntaxException("A null in an array of texts."));
        }

        return texts.ToArray();
    }

    /// <summary>An object of texts as <c>NAME=value</c>, the form execve takes.</summary>
    public static string[] Variables(ref PlainJsonReader reader)
    {
        if (reader.TokenType != JsonToken.StartObject)
        {
            throw new JsonSyntaxException("Not an object.");
        }

        var variables = new List<string>();
        while (NextName(ref reader))
        {
            string name = reader.GetString()!;
            reader.Read();
            variables.Add(name + "=" + (reader.GetString() ?? throw new JsonSyntaxException("A variable that is null.")));
        }

        return variables.ToArray();
    }

    public static void WriteTexts(PlainJsonWriter writer, string name, string[]? texts)
    {
        if (texts is null)
        {
            return;
        }

        writer.WriteStartArray(name);
        foreach (string text in texts)
        {
            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
    }

    public static void WriteVariables(PlainJsonWriter writer, string name, string[] variables)
    {
        writer.WriteStartObject(name);
        foreach (string variable in variables)
        {
            int split = variable.IndexOf('=', StringComparison.Ordinal);
            if (split > 0)
            {
                writer.WriteString(variable.AsSpan(0, split), variable.AsSpan(split + 1));
            }
        }

        writer.WriteEndObject();
    }

    public static void WriteText(PlainJsonWriter writer, string name, string? value)
    {
        if (value is not null)
        {
            writer.WriteString(name, value);
        }
    }

    public static void WriteNumber(PlainJsonWriter writer, string name, long value)
    {
        if (value != 0)
        {
            writer.WriteNumber(name, value);
        }
    }

    public static void WriteFlag(PlainJsonWriter writer, string name, bool value)
    {
        if (value)
        {
            writer.WriteBoolean(name, true);
        }
    }

    /// <summary>
    /// True for what the JSON reader throws on bytes that are not the format; the callers turn it into
    /// <see cref="AttemptFormatException"/>.
    /// </summary>
    public static bool IsMalformed(Exception e) => e is JsonSyntaxException;
}

/// <summary>A file of the attempt folder that is not what its name says. It is kept as evidence and never guessed at.</summary>
public sealed class AttemptFormatException(string message) : Exception(message);
