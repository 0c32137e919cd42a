using System.Buffers;
using System.Text;
using Holdfast.Engine.Assets;
using Holdfast.Engine.Notebooks.Json;

namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>
/// Writes a mime bundle of which some values are too large for the notebook: those are left out, <c>text/plain</c> says of each what it is
/// and where it is kept, and the output's metadata says the same for programs.
/// </summary>
internal static class LargeBundle
{
    private static readonly byte[] PlainText = "text/plain"u8.ToArray();

    public static void Write(DisplayContent content, List<string> large, JsonText text)
    {
        ReadOnlySpan<byte> bundle = content.Bundle;
        ArrayBufferWriter<byte> scratch = new();
        List<(byte[] Name, int Start, int Length)> members = JsonText.SortedMembers(bundle);
        string notice = string.Join(
            '\n',
            large.Select(type => LargeText.Notice(type, content.SpooledAt(type)?.Length ?? LengthOf(members, type), content.KeptAt(type)))
        );
        bool hasNotice = false;
        text.StartObject();
        foreach ((byte[] type, int start, int length) in members)
        {
            ReadOnlySpan<byte> value = bundle.Slice(start, length);
            bool isPlain = type.AsSpan().SequenceEqual(PlainText);
            bool isLarge = large.Contains(Encoding.UTF8.GetString(type));
            if (!hasNotice && type.AsSpan().SequenceCompareTo(PlainText) >= 0)
            {
                text.Name(PlainText);
                text.Lines(
                    isPlain && !isLarge && MimeBundle.TryJoin(value, scratch, out ReadOnlySpan<byte> joined)
                        ? [.. joined, .. Encoding.UTF8.GetBytes((joined is [.., (byte)'\n'] ? "" : "\n") + notice)]
                        : Encoding.UTF8.GetBytes(notice)
                );
                hasNotice = true;
            }

            if (!isPlain && !isLarge)
            {
                text.Name(type);
                MimeBundle.WriteValue(type, value, text, scratch);
            }
        }

        if (!hasNotice)
        {
            text.Name(PlainText);
            text.Lines(Encoding.UTF8.GetBytes(notice));
        }

        text.EndObject();
    }

    /// <summary>
    /// Takes the values that are too large out of a bundle, decoded, and says what is left of it; one that cannot be spooled stays.
    /// </summary>
    public static byte[] Split(byte[] bundle, OutputSpools spools, out Dictionary<string, OutputSpool> spooled)
    {
        spooled = [];
        foreach (string type in bundle.Length > spools.InlineBytesMax ? MimeBundle.LargerThan(bundle, spools.InlineBytesMax) : [])
        {
            OutputSpool spool = spools.Open();
            spool.Append(MimeBundle.Decode(bundle, type));
            if (!spool.IsBroken)
            {
                spooled[type] = spool;
            }
        }

        if (spooled.Count == 0)
        {
            return bundle;
        }

        JsonText rest = new(JsonLayout.Compact, 0);
        rest.StartObject();
        foreach ((byte[] type, int start, int length) in JsonText.SortedMembers(bundle))
        {
            if (!spooled.ContainsKey(Encoding.UTF8.GetString(type)))
            {
                rest.Name(type);
                rest.Value(bundle.AsSpan(start, length));
            }
        }

        rest.EndObject();
        return rest.ToArray();
    }

    /// <summary>The kernel's own metadata, and <c>holdfast.assets</c>: by mime type what is kept where.</summary>
    public static void WriteMetadata(DisplayContent content, List<string> large, JsonText text)
    {
        ReadOnlySpan<byte> metadata = content.Metadata;
        bool isWritten = false;
        text.StartObject();
        foreach ((byte[] name, int start, int length) in JsonText.SortedMembers(metadata))
        {
            bool isOurs = name.AsSpan().SequenceEqual("holdfast"u8);
            if (!isWritten && name.AsSpan().SequenceCompareTo("holdfast"u8) >= 0)
            {
                WriteOurs(content, large, text);
                isWritten = true;
            }

            if (!isOurs)
            {
                text.Name(name);
                text.Value(metadata.Slice(start, length));
            }
        }

        if (!isWritten)
        {
            WriteOurs(content, large, text);
        }

        text.EndObject();
    }

    /// <summary>An asset as it stands in a notebook's metadata.</summary>
    public static void WriteMark(AssetMark mark, JsonText text)
    {
        text.StartObject();
        text.Name("mediaType"u8);
        text.String(Encoding.UTF8.GetBytes(mark.MediaType));
        text.Name("sha256"u8);
        text.String(Encoding.UTF8.GetBytes(mark.Hash.Value));
        text.Name("size"u8);
        text.Number(mark.Size);
        text.EndObject();
    }

    private static void WriteOurs(DisplayContent content, List<string> large, JsonText text)
    {
        text.Name("holdfast"u8);
        text.StartObject();
        text.Name("assets"u8);
        text.StartObject();
        foreach (string type in large)
        {
            if (content.KeptAt(type) is { } mark)
            {
                text.Name(Encoding.UTF8.GetBytes(type));
                WriteMark(mark, text);
            }
        }

        text.EndObject();
        text.EndObject();
    }

    private static int LengthOf(List<(byte[] Name, int Start, int Length)> members, string type) =>
        members.Find(m => Encoding.UTF8.GetString(m.Name) == type).Length;
}
