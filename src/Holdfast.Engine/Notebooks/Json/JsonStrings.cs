using System.Buffers;
using System.Text;

namespace Holdfast.Engine.Notebooks.Json;

/// <summary>
/// Decodes JSON strings to UTF-8. Half a surrogate pair, which Python may send, becomes U+FFFD: UTF-8 has no form for it.
/// </summary>
internal static class JsonStrings
{
    private static ReadOnlySpan<byte> Replacement => "\uFFFD"u8;

    /// <summary>True if the quoted string, decoded, is <paramref name="value"/>.</summary>
    public static bool Equals(ReadOnlySpan<byte> quoted, ReadOnlySpan<byte> value)
    {
        ReadOnlySpan<byte> inner = quoted[1..^1];
        if (!inner.Contains((byte)'\\'))
        {
            return inner.SequenceEqual(value);
        }

        ArrayBufferWriter<byte> decoded = new(inner.Length);
        Decode(quoted, decoded);
        return decoded.WrittenSpan.SequenceEqual(value);
    }

    public static string ToText(ReadOnlySpan<byte> quoted)
    {
        ReadOnlySpan<byte> inner = quoted[1..^1];
        if (!inner.Contains((byte)'\\'))
        {
            return Encoding.UTF8.GetString(inner);
        }

        ArrayBufferWriter<byte> decoded = new(inner.Length);
        Decode(quoted, decoded);
        return Encoding.UTF8.GetString(decoded.WrittenSpan);
    }

    /// <summary>
    /// The decoded bytes: a slice of the input where nothing is escaped, else the content of <paramref name="scratch"/>, which is cleared
    /// first.
    /// </summary>
    public static ReadOnlySpan<byte> ToUtf8(ReadOnlySpan<byte> quoted, ArrayBufferWriter<byte> scratch)
    {
        ReadOnlySpan<byte> inner = quoted[1..^1];
        if (!inner.Contains((byte)'\\'))
        {
            return inner;
        }

        scratch.ResetWrittenCount();
        Decode(quoted, scratch);
        return scratch.WrittenSpan;
    }

    /// <summary>Appends the decoded bytes of a string that <see cref="JsonScan"/> has found to be whole.</summary>
    public static void Decode(ReadOnlySpan<byte> quoted, IBufferWriter<byte> output)
    {
        ReadOnlySpan<byte> inner = quoted[1..^1];

        // No escape is shorter than what it stands for, so the input's length is room enough: \u00e9 is six bytes for two.
        Span<byte> target = output.GetSpan(inner.Length + Replacement.Length);
        int written = 0;
        while (true)
        {
            int run = inner.IndexOf((byte)'\\');
            if (run < 0)
            {
                inner.CopyTo(target[written..]);
                output.Advance(written + inner.Length);
                return;
            }

            inner[..run].CopyTo(target[written..]);
            written += run;
            inner = inner[run..];
            if (inner[1] == (byte)'u')
            {
                inner = DecodeUnicode(inner, target, ref written);
                continue;
            }

            target[written++] = inner[1] switch
            {
                (byte)'b' => (byte)'\b',
                (byte)'f' => (byte)'\f',
                (byte)'n' => (byte)'\n',
                (byte)'r' => (byte)'\r',
                (byte)'t' => (byte)'\t',
                byte itself => itself,
            };
            inner = inner[2..];
        }
    }

    private static ReadOnlySpan<byte> DecodeUnicode(ReadOnlySpan<byte> text, Span<byte> target, scoped ref int written)
    {
        char first = Unit(text);
        text = text[6..];
        if (Rune.TryCreate(first, out Rune rune))
        {
            written += rune.EncodeToUtf8(target[written..]);
        }
        else if (char.IsHighSurrogate(first) && text is [(byte)'\\', (byte)'u', ..] && Rune.TryCreate(first, Unit(text), out Rune pair))
        {
            written += pair.EncodeToUtf8(target[written..]);
            text = text[6..];
        }
        else
        {
            Replacement.CopyTo(target[written..]);
            written += Replacement.Length;
        }

        return text;
    }

    private static char Unit(ReadOnlySpan<byte> escape)
    {
        int unit = 0;
        foreach (byte digit in escape.Slice(2, 4))
        {
            unit = (unit << 4) | (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }

        return (char)unit;
    }
}
