namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>Finds the end of a terminal escape sequence (ECMA-48 section 5.4 and 5.6). The text starts with ESC.</summary>
internal static class EscapeSequence
{
    public const byte Escape = 0x1B;

    /// <summary>
    /// Longer ones (a hyperlink's address is the longest in use) are taken as text, so that an unfinished one cannot hold output back for
    /// ever.
    /// </summary>
    public const int LengthMax = 4096;

    /// <summary>
    /// The sequence's length; 0 if it goes on past the text. One that breaks off is as long as its sound part, and
    /// <paramref name="isWhole"/> is false.
    /// </summary>
    public static int Length(ReadOnlySpan<byte> text, out bool isWhole)
    {
        isWhole = false;
        text = text[..Math.Min(text.Length, LengthMax)];
        int length =
            text.Length < 2
                ? 0
                : text[1] switch
                {
                    (byte)'[' => ControlSequence(text, out isWhole),
                    (byte)']' or (byte)'P' or (byte)'X' or (byte)'^' or (byte)'_' => ControlString(text, out isWhole),
                    _ => Short(text, out isWhole),
                };
        return length == 0 && text.Length == LengthMax ? LengthMax : length;
    }

    /// <summary>The number at the start of a control sequence's parameters, or what the sequence means without one.</summary>
    public static int FirstParameter(ReadOnlySpan<byte> parameters, int missing)
    {
        if (parameters.IsEmpty || !char.IsAsciiDigit((char)parameters[0]))
        {
            return missing;
        }

        int number = 0;
        foreach (byte next in parameters)
        {
            if (!char.IsAsciiDigit((char)next))
            {
                break;
            }

            number = Math.Min((number * 10) + (next - '0'), 1_000_000);
        }

        return number;
    }

    private static int ControlSequence(ReadOnlySpan<byte> text, out bool isWhole)
    {
        isWhole = false;
        for (int at = 2; at < text.Length; at++)
        {
            if (text[at] is >= 0x40 and <= 0x7E)
            {
                isWhole = true;
                return at + 1;
            }

            if (text[at] is < 0x20 or > 0x7E)
            {
                return at;
            }
        }

        return 0;
    }

    private static int ControlString(ReadOnlySpan<byte> text, out bool isWhole)
    {
        isWhole = false;
        for (int at = 2; at < text.Length; at++)
        {
            if (text[at] == 0x07)
            {
                isWhole = true;
                return at + 1;
            }

            if (text[at] == Escape)
            {
                if (at + 1 == text.Length)
                {
                    return 0;
                }

                isWhole = text[at + 1] == (byte)'\\';
                return isWhole ? at + 2 : at;
            }

            if (text[at] < 0x20)
            {
                return at;
            }
        }

        return 0;
    }

    private static int Short(ReadOnlySpan<byte> text, out bool isWhole)
    {
        isWhole = false;
        for (int at = 1; at < text.Length; at++)
        {
            if (text[at] is >= 0x30 and <= 0x7E)
            {
                isWhole = true;
                return at + 1;
            }

            if (text[at] is < 0x20 or > 0x2F)
            {
                return at;
            }
        }

        return 0;
    }
}
