using Holdfast.Engine.Terminals;

namespace Holdfast.Tests.Terminals;

public sealed class TerminalNamesTests
{
    [Fact]
    public void The_next_name_is_the_smallest_number_that_nobody_has()
    {
        Assert.Equal("1", TerminalNames.NextFree([]));
        Assert.Equal("3", TerminalNames.NextFree(["2", "1", "4", "mine", null]));
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("My_terminal_2", true)]
    [InlineData("", false)]
    [InlineData("a/b", false)]
    [InlineData("..", false)]
    [InlineData("a b", false)]
    [InlineData("ä", false)]
    public void A_name_can_stand_in_an_address(string name, bool isValid) => Assert.Equal(isValid, TerminalNames.IsValid(name));

    [Fact]
    public void A_name_is_bounded() =>
        Assert.Equal((true, false), (TerminalNames.IsValid(new string('a', 64)), TerminalNames.IsValid(new string('a', 65))));
}
