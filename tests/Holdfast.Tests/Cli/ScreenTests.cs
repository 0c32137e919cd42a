using System.Text.Json;
using Holdfast.Server.Cli.Screen;

namespace Holdfast.Tests.Cli;

public sealed class ScreenTests
{
    [Theory]
    [InlineData("90", 90)]
    [InlineData("1.5", 1.5)]
    [InlineData("0", 0)]
    [InlineData("10m", 600)]
    [InlineData("1h30m", 5400)]
    [InlineData("2d", 172800)]
    [InlineData("250ms", 0.25)]
    [InlineData("1m1s500ms", 61.5)]
    public void A_duration_is_read(string text, double seconds)
    {
        Assert.True(Durations.TryParse(text, out TimeSpan duration));
        Assert.Equal(seconds, duration.TotalSeconds);
    }

    [Theory]
    [InlineData("{}", null)]
    [InlineData("""{"firstLine":"x = 1"}""", "x = 1")]
    [InlineData(
        """{"firstLine":"0123456789012345678901234567890123456789012345678901234567890"}""",
        "012345678901234567890123456789012345678901234567890123456789…"
    )]
    public void An_execution_is_known_by_the_beginning_of_what_it_runs(string execution, string? line)
    {
        using var json = JsonDocument.Parse(execution);
        Assert.Equal(line, Sentences.FirstLine(json.RootElement));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("m")]
    [InlineData("1x")]
    [InlineData("1m2")]
    [InlineData("1m1h")]
    [InlineData("1m1m")]
    [InlineData("1..5")]
    [InlineData("NaN")]
    [InlineData("99999999999d")]
    public void What_is_no_duration_is_refused(string text) => Assert.False(Durations.TryParse(text, out _));

    [Theory]
    [InlineData(0.04, "0.0s")]
    [InlineData(59.94, "59.9s")]
    [InlineData(59.96, "1m00s")]
    [InlineData(3599, "59m59s")]
    [InlineData(3600, "1h00m")]
    [InlineData(90000, "1d01h")]
    [InlineData(-3, "0.0s")]
    public void A_duration_is_written_short(double seconds, string text) =>
        Assert.Equal(text, Durations.Format(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(0, "0ms")]
    [InlineData(0.0004, "0.4ms")]
    [InlineData(0.1304, "130ms")]
    [InlineData(61, "1m01s")]
    public void What_was_quick_is_written_in_milliseconds(double seconds, string text) =>
        Assert.Equal(text, Durations.FormatFine(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(90 * 86400, "90d")]
    [InlineData(3600, "1h")]
    [InlineData(60, "1m")]
    [InlineData(30, "30s")]
    [InlineData(100 * 60, "1h40m")]
    public void What_somebody_set_is_written_without_zeros_behind_it(double seconds, string text) =>
        Assert.Equal(text, Durations.FormatRound(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Columns_are_aligned_and_only_the_last_is_cut()
    {
        var table = new TextTable("ID", "NAME");
        table.Add("a", null);
        table.Add("long", "0123456789");

        Assert.Equal("ID    NAME\na     -\nlong  0123456789\n", table.Format(null));
        Assert.Equal("ID    NAME\na     -\nlong  0123\n", table.Format(10));
    }

    [Fact]
    public void A_name_does_not_steer_the_terminal()
    {
        Assert.Equal(
            "red  and bell ",
            TerminalText.Printable("\e[31mred\e[0m \nand bell\a".Replace(" \n", "\n ", StringComparison.Ordinal))
        );
        Assert.Equal("a\nb c", TerminalText.PrintableLines("a\nb\rc"));
    }
}
