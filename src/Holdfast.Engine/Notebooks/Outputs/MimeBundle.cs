using System.Buffers;
using Holdfast.Engine.Notebooks.Json;

namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>Writes a mime bundle as nbformat stores it: text types as lists of lines, JSON types as they are, other strings (base64 images) whole.</summary>
internal static class MimeBundle
{
    public static void Write(ReadOnlySpan<byte> bundle, JsonText text)
    {
        text.StartObject();
        ArrayBufferWriter<byte> scratch = new();
        foreach ((byte[] type, int start, int length) in JsonText.SortedMembers(bundle))
        {
            text.Name(type);
            ReadOnlySpan<byte> value = bundle.Slice(start, length);
            if (IsJson(type) || !TryJoin(value, scratch, out ReadOnlySpan<byte> joined))
            {
                text.Value(value);
            }
            else if (IsCutIntoLines(type))
            {
                text.Lines(joined);
            }
            else
            {
                text.String(joined);
            }
        }

        text.EndObject();
    }

    public static bool IsJson(ReadOnlySpan<byte> type) =>
        type.SequenceEqual("application/json"u8) || (type.StartsWith("application/"u8) && type.EndsWith("+json"u8));

    private static bool IsCutIntoLines(ReadOnlySpan<byte> type) =>
        type.StartsWith("text/"u8) || type.SequenceEqual("application/javascript"u8) || type.SequenceEqual("image/svg+xml"u8);

    /// <summary>The text of a string, or of a list of strings, which some kernels send ready cut.</summary>
    public static bool TryJoin(ReadOnlySpan<byte> value, ArrayBufferWriter<byte> scratch, out ReadOnlySpan<byte> joined)
    {
        joined = default;
        if (value[0] == (byte)'"')
        {
            joined = JsonStrings.ToUtf8(value, scratch);
            return true;
        }

        if (value[0] != (byte)'[')
        {
            return false;
        }

        scratch.ResetWrittenCount();
        JsonParts parts = new(value);
        while (parts.MoveNext())
        {
            if (parts.Value[0] != (byte)'"')
            {
                return false;
            }

            JsonStrings.Decode(parts.Value, scratch);
        }

        joined = scratch.WrittenSpan;
        return true;
    }
}
