using System.Buffers;

namespace Holdfast.Engine.Notebooks.Json;

/// <summary>
/// Finds where JSON values begin and end, without decoding them: what lets a notebook keep every byte nobody asked to change. Strict (RFC
/// 8259), but for the three numbers Python writes that JSON lacks: NaN, Infinity and -Infinity, which nbformat reads and so do we.
/// </summary>
internal static class JsonScan
{
    /// <summary>Python refuses at about this depth too; it also bounds the recursion of whoever walks a value.</summary>
    public const int DepthMax = 500;

    private static readonly SearchValues<byte> StringStops = SearchValues.Create([
        .. Enumerable.Range(0, 0x20).Select(i => (byte)i),
        (byte)'"',
        (byte)'\\',
    ]);

    public static int SkipWhitespace(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length && text[at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
        {
            at++;
        }

        return at;
    }

    /// <summary>The end of the string that starts at <paramref name="at"/> (the opening quote), past its closing quote.</summary>
    public static int SkipString(ReadOnlySpan<byte> text, int at)
    {
        int start = at++;
        while (true)
        {
            int run = text[at..].IndexOfAny(StringStops);
            if (run < 0)
            {
                throw new JsonTextException(start, "a string that starts here is not closed");
            }

            at += run;
            switch (text[at])
            {
                case (byte)'"':
                    return at + 1;
                case (byte)'\\':
                    at = SkipEscape(text, at);
                    break;
                default:
                    throw new JsonTextException(at, "a control character stands in a string; it must be written as an escape");
            }
        }
    }

    /// <summary>The end of the value that starts at <paramref name="at"/> (no white space before it).</summary>
    public static int SkipValue(ReadOnlySpan<byte> text, int at)
    {
        Span<bool> inObject = stackalloc bool[DepthMax];
        int depth = 0;
        while (true)
        {
            // A value is due at `at`.
            bool opened = false;
            switch (at < text.Length ? text[at] : (byte)0)
            {
                case (byte)'{' or (byte)'[':
                    if (depth == DepthMax)
                    {
                        throw new JsonTextException(at, "values are nested deeper than 500 levels");
                    }

                    inObject[depth++] = text[at] == (byte)'{';
                    opened = true;
                    at++;
                    break;
                case (byte)'"':
                    at = SkipString(text, at);
                    break;
                default:
                    at = SkipScalar(text, at);
                    break;
            }

            // After a value, close what ends here, until a comma (or the start of a container) asks for the next value.
            while (depth > 0)
            {
                at = SkipWhitespace(text, at);
                byte next = at < text.Length ? text[at] : (byte)0;
                byte close = inObject[depth - 1] ? (byte)'}' : (byte)']';
                if (next == close)
                {
                    at++;
                    depth--;
                    opened = false;
                    continue;
                }

                if (!opened)
                {
                    if (next != (byte)',')
                    {
                        throw new JsonTextException(at, $"a comma or {(char)close} was expected");
                    }

                    at = SkipWhitespace(text, at + 1);
                }

                if (inObject[depth - 1])
                {
                    at = SkipName(text, at);
                }

                break;
            }

            if (depth == 0)
            {
                return at;
            }
        }
    }

    /// <summary>From a member's name past its colon and the white space after it.</summary>
    private static int SkipName(ReadOnlySpan<byte> text, int at)
    {
        if (at >= text.Length || text[at] != (byte)'"')
        {
            throw new JsonTextException(at, "a name in double quotes was expected");
        }

        at = SkipWhitespace(text, SkipString(text, at));
        if (at >= text.Length || text[at] != (byte)':')
        {
            throw new JsonTextException(at, "a colon was expected");
        }

        return SkipWhitespace(text, at + 1);
    }

    private static int SkipEscape(ReadOnlySpan<byte> text, int at)
    {
        byte kind = at + 1 < text.Length ? text[at + 1] : (byte)0;
        if (kind is (byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t')
        {
            return at + 2;
        }

        if (kind == (byte)'u' && at + 6 <= text.Length)
        {
            bool isHex = true;
            foreach (byte digit in text.Slice(at + 2, 4))
            {
                isHex &= char.IsAsciiHexDigit((char)digit);
            }

            if (isHex)
            {
                return at + 6;
            }
        }

        throw new JsonTextException(at, "this escape is not one JSON knows");
    }

    private static int SkipScalar(ReadOnlySpan<byte> text, int at)
    {
        ReadOnlySpan<byte> rest = at < text.Length ? text[at..] : default;
        int length = rest switch
        {
            [(byte)'t', (byte)'r', (byte)'u', (byte)'e', ..] => 4,
            [(byte)'f', (byte)'a', (byte)'l', (byte)'s', (byte)'e', ..] => 5,
            [(byte)'n', (byte)'u', (byte)'l', (byte)'l', ..] => 4,
            [(byte)'N', (byte)'a', (byte)'N', ..] => 3,
            [(byte)'I', ..] when rest.StartsWith("Infinity"u8) => 8,
            [(byte)'-', (byte)'I', ..] when rest.StartsWith("-Infinity"u8) => 9,
            _ => NumberLength(rest),
        };
        if (length == 0)
        {
            throw new JsonTextException(at, rest.IsEmpty ? "the text ends where a value was expected" : "a value was expected");
        }

        return at + length;
    }

    /// <summary>
    /// The length of a JSON number, 0 if there is none. <c>01</c> is the number 0, and the 1 after it a fault of its own.
    /// </summary>
    private static int NumberLength(ReadOnlySpan<byte> text)
    {
        int at = text is [(byte)'-', ..] ? 1 : 0;
        int whole = Digits(text, at);
        if (whole == 0)
        {
            return 0;
        }

        at += text[at] == (byte)'0' ? 1 : whole;
        if (at < text.Length && text[at] == (byte)'.')
        {
            int fraction = Digits(text, at + 1);
            if (fraction == 0)
            {
                return 0;
            }

            at += 1 + fraction;
        }

        if (at < text.Length && text[at] is (byte)'e' or (byte)'E')
        {
            int sign = at + 1 < text.Length && text[at + 1] is (byte)'+' or (byte)'-' ? 1 : 0;
            int exponent = Digits(text, at + 1 + sign);
            if (exponent == 0)
            {
                return 0;
            }

            at += 1 + sign + exponent;
        }

        return at;
    }

    private static int Digits(ReadOnlySpan<byte> text, int at)
    {
        int start = at;
        while (at < text.Length && char.IsAsciiDigit((char)text[at]))
        {
            at++;
        }

        return at - start;
    }
}
