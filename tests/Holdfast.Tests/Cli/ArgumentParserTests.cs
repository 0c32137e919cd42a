using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Tests.Cli;

public sealed class ArgumentParserTests
{
    private static readonly Option Follow = new("--follow", "", "") { Short = "-f" };
    private static readonly Option Offset = new("--offset", "N", "");
    private static readonly Option Parameter = new("--parameter", "NAME VALUE", "") { Short = "-p", IsRepeatable = true };

    [Fact]
    public void Options_may_stand_before_between_and_after_operands()
    {
        Arguments arguments = Read(Verb(0, null), "-f", "a", "--offset", "3", "b", "--json");

        Assert.Equal(["a", "b"], arguments.Operands);
        Assert.True(arguments.Has("--follow"));
        Assert.True(arguments.IsJson);
        Assert.Equal(3, arguments.Integer("--offset", 0, 9));
    }

    [Fact]
    public void An_option_of_two_words_takes_two_whatever_they_look_like()
    {
        Arguments arguments = Read(Verb(1, 1), "-p", "alpha", "-1", "notebook", "--parameter", "beta", "--json");

        Assert.Equal(
            [
                ["alpha", "-1"],
                ["beta", "--json"],
            ],
            arguments.All("--parameter")
        );
        Assert.Equal(["notebook"], arguments.Operands);
        Assert.False(arguments.IsJson);
    }

    [Fact]
    public void A_value_may_follow_an_equals_sign() => Assert.Equal("a=b", Read(Verb(0, 0), "--url=a=b").Text("--url"));

    [Fact]
    public void After_two_dashes_everything_is_an_operand() =>
        Assert.Equal(["-f", "--", "--json"], Read(Verb(0, null), "--", "-f", "--", "--json").Operands);

    [Fact]
    public void A_command_keeps_its_own_options() =>
        Assert.Equal(
            ["ls", "-f", "--json"],
            Read(Verb(1, null) with { TakesCommand = true }, "--offset", "1", "ls", "-f", "--json").Operands
        );

    [Theory]
    [InlineData("There is no option --folow of holdfast test; perhaps --follow.", "--folow")]
    [InlineData("There is no option --xyzzy of holdfast test.", "--xyzzy")]
    [InlineData("--offset takes N.", "--offset")]
    [InlineData("--parameter takes NAME VALUE.", "-p", "a")]
    [InlineData("--follow takes no value, not one after an equals sign.", "--follow=yes")]
    [InlineData("--offset may be given once.", "--offset", "1", "--offset", "2")]
    [InlineData("There is a word too many: holdfast test", "a", "b")]
    public void A_mistake_is_named(string sentence, params string[] words) =>
        Assert.Equal(sentence, Assert.Throws<UsageException>(() => Read(Verb(0, 1), words)).Message);

    [Fact]
    public void A_number_out_of_range_is_refused_with_the_range() =>
        Assert.Equal(
            "--offset takes a whole number from 0 to 9, not '10'.",
            Assert.Throws<UsageException>(() => Read(Verb(0, 0), "--offset", "10").Integer("--offset", 0, 9)).Message
        );

    [Fact]
    public void Help_is_read_even_where_operands_are_missing() => Assert.True(Read(Verb(2, 2), "-h").Has("--help"));

    private static Verb Verb(int min, int? max) =>
        new("test", "test", "test")
        {
            Options = [Follow, Offset, Parameter],
            Operands = (min, max),
            RunAsync = (_, _) => Task.FromResult(0),
        };

    private static Arguments Read(Verb verb, params string[] words)
    {
        var arguments = new Arguments();
        ArgumentParser.Read(verb, words, 0, arguments);
        return arguments;
    }
}
