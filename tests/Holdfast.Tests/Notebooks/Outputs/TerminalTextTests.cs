using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Holdfast.Engine.Notebooks.Outputs;

namespace Holdfast.Tests.Notebooks.Outputs;

/// <summary>
/// The table's expectations are what tmux 3.3a shows after `printf` of the same text, colours by `capture-pane -e`.
/// </summary>
public sealed class TerminalTextTests
{
    [Theory]
    [InlineData("plain\ntwo\n", "plain\ntwo\n")]
    [InlineData("no end", "no end")]
    [InlineData("a\r\nb\r\n", "a\nb\n")]
    [InlineData("a\r\r\nb", "a\nb")]
    [InlineData("abc\rX", "Xbc")]
    [InlineData("abc\rX\n", "Xbc\n")]
    [InlineData("abc\rXYZW\n", "XYZW\n")]
    [InlineData("\rstart", "start")]
    [InlineData("abc\r", "abc")]
    [InlineData("abc\r\r\rdef", "def")]
    [InlineData("10%\r 50%\r100%\ndone\n", "100%\ndone\n")]
    [InlineData("long line\rshort\n", "shortline\n")]
    [InlineData("abc\b", "abc")]
    [InlineData("abc\bX", "abX")]
    [InlineData("abc\b\b\b\b\bX", "Xbc")]
    [InlineData("ab\b \b", "a ")]
    [InlineData("|\b/\b-\b\\\bdone", "done")]
    [InlineData("x\n\b\by", "x\ny")]
    [InlineData("first\nabc\rX\nlast", "first\nXbc\nlast")]
    [InlineData("a\tb\rXY", "XY      b")]
    [InlineData("a\tb\rXYZ123456", "XYZ123456")]
    [InlineData("a\tbc\r\tX", "a\tXc")]
    [InlineData("ab\t\rx\ty", "xb\ty")]
    [InlineData("日本\rab", "ab本")]
    [InlineData("日本\ra", "a 本")]
    [InlineData("ab日\b\bX", "abX ")]
    [InlineData("ab日\bX", "ab X")]
    [InlineData("abcd\r日", "日cd")]
    [InlineData("e\u0301x\r\u00e9", "\u00e9x")]
    [InlineData("ae\u0301x\rb", "be\u0301x")]
    [InlineData("🎉🎉\rab", "ab🎉")]
    [InlineData("abc\u001b[K\n", "abc\n")]
    [InlineData("abcdef\rX\u001b[K\n", "X\n")]
    [InlineData("abcdef\r\u001b[Kxy\n", "xy\n")]
    [InlineData("abcdef\u001b[2Kxy\n", "      xy\n")]
    [InlineData("abcdef\u001b[2K\rxy\n", "xy\n")]
    [InlineData("abcdef\u001b[3D\u001b[1KX\n", "   Xef\n")]
    [InlineData("abc\u001b[2DX\n", "aXc\n")]
    [InlineData("abc\u001b[2CX\n", "abc  X\n")]
    [InlineData("abc\u001b[1GX\n", "Xbc\n")]
    [InlineData("a\u0007b\rc", "cb")]
    public void Text_is_stored_as_a_terminal_shows_it(string printed, string shown) => Assert.Equal(shown, Fold(printed));

    [Theory]
    [InlineData("\u001b[31mred\u001b[0m plain\n", "\u001b[31mred\u001b[0m plain\n")]
    [InlineData("\u001b[31mred\u001b[0m\rX", "X\u001b[31med\u001b[0m")]
    [InlineData("abc\r\u001b[32mX\u001b[0m\n", "\u001b[32mX\u001b[0mbc\n")]
    [InlineData("\u001b[1;31mab\rc\n\u001b[0mx", "\u001b[1;31mcb\n\u001b[0mx")]
    [InlineData(
        "\u001b[38;5;208mab\u001b[48;2;1;2;3mcd\rx",
        "\u001b[38;5;208;48;2;1;2;3mx\u001b[0;38;5;208mb\u001b[0;38;5;208;48;2;1;2;3mcd"
    )]
    [InlineData("\u001b[1mb\u001b[22mn\rx", "xn")]
    [InlineData("\u001b[A up is kept as printed\n", "\u001b[A up is kept as printed\n")]
    [InlineData("\u001b]8;;http://x\u0007link\u001b]8;;\u0007\n", "\u001b]8;;http://x\u0007link\u001b]8;;\u0007\n")]
    public void Colours_stay_with_the_characters_they_were_given_to(string printed, string shown) => Assert.Equal(shown, Fold(printed));

    [Theory]
    [InlineData("unfinished \u001b[3", "unfinished \u001b[3")]
    [InlineData("broken \u001b[3\n", "broken \u001b[3\n")]
    [InlineData("broken \u001b[3\rX", "Xroken \u001b[3")]
    [InlineData("broken \u001b]8;\u001b[31mX", "broken \u001b]8;\u001b[31mX")]
    public void A_sequence_that_breaks_off_is_kept_as_text(string printed, string stored) => Assert.Equal(stored, Fold(printed));

    [Fact]
    public void Any_chunking_of_the_same_text_is_stored_the_same()
    {
        string[] pieces =
        [
            "a",
            "bc",
            "\r",
            "\n",
            "\b",
            "\t",
            "日",
            "🎉",
            "e\u0301",
            "\u001b[31m",
            "\u001b[0m",
            "\u001b[1;38;5;3m",
            "\u001b[K",
            "\u001b[2K",
            "\u001b[3C",
            "\u001b[2D",
            "\u001b[4G",
            "\u001b[A",
            "\u001b]8;;u\u0007",
            "\u001b]0;t\u001b\\",
            "\u001b",
            "\u001b[",
            "\r\n",
            "word ",
            "\u0007",
            "\u000b",
            "\u001b]x",
            "[1m",
        ];
        Gen<string> text = Gen.Elements(pieces).ArrayOf().Select(some => string.Concat(some));
        Gen<int[]> cuts = Gen.Choose(1, 6).ArrayOf();
        Prop.ForAll(text.Zip(cuts).ToArbitrary(), pair => Fold(pair.Item1) == Fold(pair.Item1, pair.Item2)).Check(Seeded);
    }

    [Fact]
    public void Text_without_controls_is_stored_as_it_is()
    {
        Gen<string> text = Gen.Elements("a", " ", "\n", "é", "日", "🎉", "\t", "\u2028", "\u001b[31m", "\u001b[A")
            .ArrayOf()
            .Select(some => string.Concat(some));
        Prop.ForAll(text.ToArbitrary(), printed => Fold(printed) == printed).Check(Seeded);
    }

    [Fact]
    public void A_line_that_is_gone_over_shows_the_same_when_what_is_stored_is_printed_again()
    {
        string[] pieces =
        [
            "a",
            "bc",
            "\r",
            "\n",
            "\b",
            "\t",
            "日",
            "🎉",
            "e\u0301",
            "\u001b[31m",
            "\u001b[0m",
            "\u001b[1m",
            "\u001b[K",
            "\u001b[3C",
            "\u001b[2D",
        ];
        Gen<string> text = Gen.Elements(pieces).ArrayOf().Select(some => string.Concat(some));
        Prop.ForAll(
                text.ToArbitrary(),
                printed => Fold(Fold(printed)) == Fold(printed) && !Fold(printed).Contains('\r', StringComparison.Ordinal)
            )
            .Check(Seeded);
    }

    [Fact]
    public void A_row_without_colours_agrees_with_a_plain_grid()
    {
        Gen<string> text = Gen.Elements("a", "b", "cd", "\r", "\n", "\b", " ").ArrayOf().Select(some => string.Concat(some));
        Prop.ForAll(text.ToArbitrary(), printed => Fold(printed) == Grid(printed)).Check(Seeded);
    }

    [Fact]
    public void A_stream_past_its_limit_keeps_its_beginning_and_its_end_and_says_what_is_missing()
    {
        StringBuilder printed = new();
        for (int i = 0; i < 10_000; i++)
        {
            _ = printed.Append(System.Globalization.CultureInfo.InvariantCulture, $"line {i}\n");
        }

        string stored = Fold(printed.ToString(), [100_000], bytesMax: 4096);
        Assert.StartsWith("line 0\nline 1\n", stored, StringComparison.Ordinal);
        Assert.EndsWith("line 9998\nline 9999\n", stored, StringComparison.Ordinal);
        Assert.True(stored.Length < 4300);
        int omitted = int.Parse(
            System.Text.RegularExpressions.Regex.Match(stored, @"\[holdfast: ([\d,]+) bytes").Groups[1].Value,
            System.Globalization.NumberStyles.AllowThousands,
            System.Globalization.CultureInfo.InvariantCulture
        );
        Assert.Equal(
            printed.Length,
            stored.Length - stored.Split('\n').Single(line => line.StartsWith("[holdfast", StringComparison.Ordinal)).Length - 2 + omitted
        );
        Assert.Equal(stored, Fold(printed.ToString(), [1, 7, 1000], bytesMax: 4096));
    }

    [Fact]
    public void Limit_and_controls_together_do_not_depend_on_the_chunks()
    {
        Gen<string> text = Gen.Elements("a long enough word ", "\r", "\n", "日本", "\u001b[31m", "x", "\b")
            .ArrayOf()
            .Select(some => string.Concat(Enumerable.Repeat(string.Concat(some), 9)));
        Gen<int[]> cuts = Gen.Choose(1, 40).ArrayOf();
        Prop.ForAll(text.Zip(cuts).ToArbitrary(), pair => Fold(pair.Item1, bytesMax: 128) == Fold(pair.Item1, pair.Item2, bytesMax: 128))
            .Check(Seeded);
    }

    [Fact]
    public void A_row_wider_than_the_widest_terminal_goes_on_in_a_new_one()
    {
        string wide = new('x', TerminalRow.Columns);
        Assert.Equal(wide + "Bb", Fold(wide + "ab\rB"));
        Assert.Equal(wide + "Bb", Fold("-\r" + wide + "ab\rB"));
        Assert.Equal($"\u001b[31m{wide}Bb", Fold($"\u001b[31m{wide}ab\rB"));
    }

    private static Config Seeded => Config.QuickThrowOnFailure.WithMaxTest(400).WithReplay(Replay);

    private static readonly Replay Replay = new(new Rnd(20_261_121, 1), null);

    private static string Fold(string printed, int[]? cuts = null, int bytesMax = OutputFold.DefaultStreamBytesMax)
    {
        TerminalText text = new(bytesMax);
        int at = 0;
        for (int i = 0; at < printed.Length; i++)
        {
            int length = Math.Min(cuts is { Length: > 0 } ? cuts[i % cuts.Length] : printed.Length, printed.Length - at);
            length += at + length < printed.Length && char.IsLowSurrogate(printed[at + length]) ? 1 : 0;
            text.Append(Encoding.UTF8.GetBytes(printed.Substring(at, length)));
            _ = text.ToUtf8(); // Looking must not change anything.
            at += length;
        }

        return Encoding.UTF8.GetString(text.ToUtf8());
    }

    private static string Grid(string printed)
    {
        List<List<char>> rows =
        [
            [],
        ];
        int column = 0;
        foreach (char next in printed)
        {
            switch (next)
            {
                case '\r':
                    column = 0;
                    break;
                case '\b':
                    column = Math.Max(0, column - 1);
                    break;
                case '\n':
                    rows.Add([]);
                    column = 0;
                    break;
                default:
                    if (column < rows[^1].Count)
                    {
                        rows[^1][column] = next;
                    }
                    else
                    {
                        rows[^1].Add(next);
                    }

                    column++;
                    break;
            }
        }

        return string.Join('\n', rows.Select(row => new string([.. row])));
    }
}
