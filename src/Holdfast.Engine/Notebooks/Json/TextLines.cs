using System.Buffers;

namespace Holdfast.Engine.Notebooks.Json;

/// <summary>
/// Lines as Python's <c>str.splitlines(keepends=True)</c> sees them, which is how nbformat cuts text into lists. It knows more endings than
/// LF: vertical tab, form feed, the separators U+001C to U+001E, U+0085, U+2028 and U+2029. Another rule would make Jupyter's next save
/// differ.
/// </summary>
internal static class TextLines
{
    private static readonly SearchValues<byte> Stops = SearchValues.Create([
        (byte)'\n',
        (byte)'\r',
        0x0B,
        0x0C,
        0x1C,
        0x1D,
        0x1E,
        0xC2,
        0xE2,
    ]);

    /// <summary>The length of the first line with its ending, or of all the text if it has none.</summary>
    public static int FirstLength(ReadOnlySpan<byte> utf8)
    {
        int at = 0;
        while (true)
        {
            int run = utf8[at..].IndexOfAny(Stops);
            if (run < 0)
            {
                return utf8.Length;
            }

            at += run;
            int length = utf8[at..] switch
            {
                [(byte)'\r', (byte)'\n', ..] => 2,
                [0xC2, 0x85, ..] => 2,
                [0xE2, 0x80, 0xA8 or 0xA9, ..] => 3,
                [0xC2 or 0xE2, ..] => 0,
                _ => 1,
            };
            if (length > 0)
            {
                return at + length;
            }

            at++;
        }
    }
}
