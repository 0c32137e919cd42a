using System.Buffers;
using System.Globalization;
using System.Text;

namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>
/// Colours and attributes as set by SGR sequences (ECMA-48 8.3.117, and xterm's 256 and direct colours), in a form that can be
/// compared and written again. Needed only where text is overwritten: elsewhere the program's own sequences are stored.
/// </summary>
internal readonly record struct SgrStyle
{
    private const uint Indexed = 1u << 24;
    private const uint Direct = 2u << 24;

    /// <summary>One bit for each attribute number from 1 to 9, 21 and 53.</summary>
    private uint Attributes { get; init; }

    /// <summary>0 for the default; else the SGR number, or an index or RGB value with its flag.</summary>
    private uint Foreground { get; init; }

    private uint Background { get; init; }

    /// <summary>The style after the parameters of one SGR sequence, the text between <c>ESC [</c> and <c>m</c>.</summary>
    public SgrStyle Apply(ReadOnlySpan<byte> parameters)
    {
        Span<int> numbers = stackalloc int[32];
        int count = 0;
        int number = 0;
        foreach (byte next in parameters)
        {
            if (char.IsAsciiDigit((char)next))
            {
                number = Math.Min((number * 10) + (next - '0'), 0xFFFF);
            }
            else if (count < numbers.Length - 1)
            {
                numbers[count++] = number;
                number = 0;
            }
        }

        numbers[count++] = number;
        SgrStyle style = this;
        for (int i = 0; i < count; i++)
        {
            style = style.With(numbers[..count], ref i);
        }

        return style;
    }

    /// <summary>Appends what turns a terminal in style <paramref name="from"/> to this one.</summary>
    public void WriteChange(SgrStyle from, ArrayBufferWriter<byte> bytes)
    {
        if (this == from)
        {
            return;
        }

        StringBuilder output = new("\u001b[");
        string separator = string.Empty;
        if (from != default)
        {
            _ = output.Append('0');
            separator = ";";
        }

        for (int attribute = 1; attribute < 32; attribute++)
        {
            if ((Attributes & (1u << attribute)) != 0)
            {
                _ = output.Append(separator).Append(CultureInfo.InvariantCulture, $"{(attribute == 31 ? 53 : attribute)}");
                separator = ";";
            }
        }

        WriteColour(Foreground, 38, ref separator, output);
        WriteColour(Background, 48, ref separator, output);
        _ = output.Append('m');
        bytes.Write(Encoding.ASCII.GetBytes(output.ToString()));
    }

    private static void WriteColour(uint colour, int extended, ref string separator, StringBuilder output)
    {
        if (colour == 0)
        {
            return;
        }

        _ = (colour & 0xFF000000) switch
        {
            Indexed => output.Append(CultureInfo.InvariantCulture, $"{separator}{extended};5;{colour & 0xFF}"),
            Direct => output.Append(
                CultureInfo.InvariantCulture,
                $"{separator}{extended};2;{(colour >> 16) & 0xFF};{(colour >> 8) & 0xFF};{colour & 0xFF}"
            ),
            _ => output.Append(CultureInfo.InvariantCulture, $"{separator}{colour}"),
        };
        separator = ";";
    }

    private SgrStyle With(ReadOnlySpan<int> numbers, ref int i)
    {
        int number = numbers[i];
        switch (number)
        {
            case 0:
                return default;
            case (>= 1 and <= 9) or 21:
                return this with { Attributes = Attributes | (1u << number) };
            case 22:
                return this with { Attributes = Attributes & ~((1u << 1) | (1u << 2)) };
            case 24:
                return this with { Attributes = Attributes & ~((1u << 4) | (1u << 21)) };
            case 25:
                return this with { Attributes = Attributes & ~((1u << 5) | (1u << 6)) };
            case 23 or 27 or 28 or 29:
                return this with { Attributes = Attributes & ~(1u << (number - 20)) };
            case 53:
                return this with { Attributes = Attributes | (1u << 31) };
            case 55:
                return this with { Attributes = Attributes & ~(1u << 31) };
            case (>= 30 and <= 37) or (>= 90 and <= 97):
                return this with { Foreground = (uint)number };
            case (>= 40 and <= 47) or (>= 100 and <= 107):
                return this with { Background = (uint)number };
            case 39:
                return this with { Foreground = 0 };
            case 49:
                return this with { Background = 0 };
            case 38:
                return this with { Foreground = Extended(numbers, ref i, Foreground) };
            case 48:
                return this with { Background = Extended(numbers, ref i, Background) };
            default:
                return this;
        }
    }

    private static uint Extended(ReadOnlySpan<int> numbers, ref int i, uint old)
    {
        ReadOnlySpan<int> rest = numbers[(i + 1)..];
        switch (rest)
        {
            case [5, var index, ..]:
                i += 2;
                return Indexed | ((uint)index & 0xFF);
            case [2, var red, var green, var blue, ..]:
                i += 4;
                return Direct | (((uint)red & 0xFF) << 16) | (((uint)green & 0xFF) << 8) | ((uint)blue & 0xFF);
            default:
                i = numbers.Length;
                return old;
        }
    }
}
