using Holdfast.Engine.Notebooks.Json;

namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>
/// Reads the fields of a message's content where they lie, without a copy of what may be large. Of two of one name the last counts.
/// </summary>
internal static class MessageContent
{
    /// <summary>Its JSON; empty when there is none.</summary>
    public static ReadOnlySpan<byte> Member(ReadOnlySpan<byte> content, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> value = default;
        JsonParts parts = new(content[JsonScan.SkipWhitespace(content, 0)..]);
        while (parts.MoveNext())
        {
            if (JsonStrings.Equals(parts.Name, name))
            {
                value = parts.Value;
            }
        }

        return value;
    }

    public static ReadOnlySpan<byte> Required(ReadOnlySpan<byte> content, ReadOnlySpan<byte> name, char opening)
    {
        ReadOnlySpan<byte> value = Member(content, name);
        return !value.IsEmpty && value[0] == opening
            ? value
            : throw new JsonTextException(0, "a field that this type of message must have is missing");
    }

    public static string? Text(ReadOnlySpan<byte> content, ReadOnlySpan<byte> name) =>
        Member(content, name) is [(byte)'"', ..] and var text ? JsonStrings.ToText(text) : null;

    public static byte[] ObjectOrEmpty(ReadOnlySpan<byte> content, ReadOnlySpan<byte> name) =>
        Member(content, name) is [(byte)'{', ..] and var found ? found.ToArray() : "{}"u8.ToArray();

    /// <summary>By which a later message may replace what this one shows.</summary>
    public static string? DisplayId(ReadOnlySpan<byte> content) =>
        Member(content, "transient"u8) is [(byte)'{', ..] and var transient ? Text(transient, "display_id"u8) : null;
}
