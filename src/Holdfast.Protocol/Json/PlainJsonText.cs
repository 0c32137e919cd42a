using System.Text;

namespace Holdfast.Protocol.Json;

/// <summary>
/// What stands between two quotation marks in JSON, as a string. Throws <see cref="JsonSyntaxException"/> with the reader's position when
/// it is no text.
/// </summary>
internal static class PlainJsonText
{
    /// <summary>Bytes without an escape.</summary>
    public static string Decode(ReadOnlySpan<byte> raw, int position)
    {
        char[] text = new char[raw.Length];
        for (int i = 0; i < raw.Length; i++)
        {
            if (raw[i] >= 0x80)
            {
                return DecodeChecked(raw, position);
            }

            text[i] = (char)raw[i];
        }

        return new string(text);
    }

    private static string DecodeChecked(ReadOnlySpan<byte> raw, int position)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(raw);
        }
        catch (ArgumentException)
        {
            throw new JsonSyntaxException("has a text that is not UTF-8", position);
        }
    }

    /// <summary>Bytes whose escapes the reader has found well formed.</summary>
    public static string Unescape(ReadOnlySpan<byte> raw, int position)
    {
        var text = new StringBuilder(raw.Length);
        while (!raw.IsEmpty)
        {
            int plain = raw.IndexOf((byte)'\\');
            plain = plain < 0 ? raw.Length : plain;
            text.Append(Decode(raw[..plain], position));
            raw = raw[plain..];
            if (raw.IsEmpty)
            {
                break;
            }

            byte escape = raw[1];
            raw = raw[2..];
            if (escape == 'u')
            {
                text.Append(CodeUnit(raw, position));
                raw = raw[4..];
            }
            else
            {
                text.Append(
                    escape switch
                    {
                        (byte)'b' => '\b',
                        (byte)'f' => '\f',
                        (byte)'n' => '\n',
                        (byte)'r' => '\r',
                        (byte)'t' => '\t',
                        _ => (char)escape,
                    }
                );
            }
        }

        return Paired(text.ToString(), position);
    }

    private static char CodeUnit(ReadOnlySpan<byte> digits, int position) =>
        (char)(
            (HexDigit(digits[0], position) << 12)
            | (HexDigit(digits[1], position) << 8)
            | (HexDigit(digits[2], position) << 4)
            | HexDigit(digits[3], position)
        );

    /// <summary>Half of a character is no text: it could not be written again.</summary>
    private static string Paired(string text, int position)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                i++;
            }
            else if (char.IsSurrogate(text[i]))
            {
                throw new JsonSyntaxException("has half of a character in a text", position);
            }
        }

        return text;
    }

    public static int HexDigit(byte digit, int position) =>
        digit switch
        {
            >= (byte)'0' and <= (byte)'9' => digit - '0',
            >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
            >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
            _ => throw new JsonSyntaxException("has an escape that is not known", position),
        };
}
