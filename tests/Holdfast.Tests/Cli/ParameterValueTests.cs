using Holdfast.Server.Cli;
using Holdfast.Server.Cli.Runs;

namespace Holdfast.Tests.Cli;

public sealed class ParameterValueTests
{
    [Theory]
    [InlineData("True", "true")]
    [InlineData("false", "false")]
    [InlineData("None", "null")]
    [InlineData("42", "42")]
    [InlineData("-7", "-7")]
    [InlineData("007", "7")]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567890")]
    [InlineData("2.0", "2.0")]
    [InlineData("1e3", "1000.0")]
    [InlineData("-.5", "-0.5")]
    [InlineData("inf", "\"inf\"")]
    [InlineData("NaN", "\"NaN\"")]
    [InlineData(" 1", "\" 1\"")]
    [InlineData("", "\"\"")]
    [InlineData("a \"b\"", "\"a \\\"b\\\"\"")]
    public void A_value_is_what_it_looks_like(string text, string json) => Assert.Equal(json, ParameterValue.Infer(text).Line());

    [Fact]
    public void A_text_parameter_stays_text() => Assert.Equal("\"42\"", ParameterValue.Text("42").Line());
}
