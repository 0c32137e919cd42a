using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Holdfast.Engine.Notebooks.Json;

namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>
/// Writes a mime bundle as nbformat stores it: text types as lists of lines, JSON types as they are, other strings (base64 images) whole.
/// </summary>
internal static class MimeBundle
{
    public static void Write(ReadOnlySpan<byte> bundle, JsonText text)
    {
        text.StartObject();
        ArrayBufferWriter<byte> scratch = new();
        foreach ((byte[] type, int start, int length) in JsonText.SortedMembers(bundle))
        {
            text.Name(type);
            WriteValue(type, bundle.Slice(start, length), text, scratch);
        }

        text.EndObject();
    }

    public static void WriteValue(ReadOnlySpan<byte> type, ReadOnlySpan<byte> value, JsonText text, ArrayBufferWriter<byte> scratch)
    {
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

    /// <summary>The types whose values are longer than so many bytes as JSON.</summary>
    public static List<string> LargerThan(ReadOnlySpan<byte> bundle, int bytesMax)
    {
        var types = new List<string>();
        foreach ((byte[] type, _, int length) in JsonText.SortedMembers(bundle))
        {
            if (length > bytesMax)
            {
                types.Add(Encoding.UTF8.GetString(type));
            }
        }

        return types;
    }

    /// <summary>
    /// A value as the bytes that its type says it is: an image is an image, text is text, and JSON is what the kernel sent.
    /// </summary>
    public static byte[] Decode(ReadOnlySpan<byte> bundle, string wanted)
    {
        foreach ((byte[] type, int start, int length) in JsonText.SortedMembers(bundle))
        {
            if (Encoding.UTF8.GetString(type) != wanted)
            {
                continue;
            }

            ReadOnlySpan<byte> value = bundle.Slice(start, length);
            if (IsJson(type) || !TryJoin(value, new ArrayBufferWriter<byte>(), out ReadOnlySpan<byte> joined))
            {
                return value.ToArray();
            }

            byte[] text = joined.ToArray();
            return IsBase64(wanted) && Base64.DecodeFromUtf8InPlace(text, out int decoded) == OperationStatus.Done
                ? text[..decoded]
                : joined.ToArray();
        }

        return [];
    }

    private static bool IsBase64(string type) =>
        type == "application/pdf"
        || (
            type != "image/svg+xml"
            && (
                type.StartsWith("image/", StringComparison.Ordinal)
                || type.StartsWith("audio/", StringComparison.Ordinal)
                || type.StartsWith("video/", StringComparison.Ordinal)
            )
        );

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
