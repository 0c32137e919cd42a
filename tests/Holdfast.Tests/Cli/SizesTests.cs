using Holdfast.Server.Cli.Screen;

namespace Holdfast.Tests.Cli;

public sealed class SizesTests
{
    [Theory]
    [InlineData("1048576", 1 << 20)]
    [InlineData("512M", 512L << 20)]
    [InlineData("1.5GiB", 3L << 29)]
    [InlineData("2g", 2L << 30)]
    [InlineData("1kb", 1024)]
    public void A_size_is_bytes_or_a_number_with_a_letter(string text, long bytes)
    {
        Assert.True(Sizes.TryParse(text, out long parsed));
        Assert.Equal(bytes, parsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("much")]
    [InlineData("M")]
    [InlineData("99999999T")]
    public void What_is_no_size_is_refused(string text) => Assert.False(Sizes.TryParse(text, out _));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(512, "512 B")]
    [InlineData(61231104, "58.4M")]
    [InlineData(3L << 29, "1.5G")]
    public void A_size_is_shown_with_one_digit_after_the_point(long bytes, string text) => Assert.Equal(text, Sizes.Format(bytes));
}
