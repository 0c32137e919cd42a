using System.Text;
using Holdfast.Engine.Terminals;

namespace Holdfast.Tests.Terminals;

public sealed class ReadTerminalTests
{
    [Theory]
    [InlineData("st of a line\nnext", 13)]
    [InlineData("\nnext", 1)]
    [InlineData("one line only", 0)]
    [InlineData("", 0)]
    public void A_cut_replay_begins_at_a_line(string first, int ragged) =>
        Assert.Equal(ragged, ReadTerminal.Ragged(Encoding.UTF8.GetBytes(first)));

    [Fact]
    public void Without_a_line_it_begins_at_a_character() => Assert.Equal(2, ReadTerminal.Ragged(Encoding.UTF8.GetBytes("€uro").AsSpan(1)));
}
