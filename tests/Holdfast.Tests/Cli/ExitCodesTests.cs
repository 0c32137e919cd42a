using System.Text;
using Holdfast.Server.Cli;

namespace Holdfast.Tests.Cli;

public sealed class ExitCodesTests
{
    [Theory]
    [InlineData("""{"state":"succeeded","exitCode":0}""", 0)]
    [InlineData("""{"state":"failed","exitCode":7}""", 7)]
    [InlineData("""{"state":"failed","exitCode":127,"cause":"notStarted"}""", 127)]
    [InlineData("""{"state":"failed","signal":9,"exitCode":null}""", 137)]
    [InlineData("""{"state":"cancelled","signal":15}""", 143)]
    [InlineData("""{"state":"cancelled","exitCode":0}""", 1)]
    [InlineData("""{"state":"cancelled"}""", 1)]
    [InlineData("""{"state":"timedOut","exitCode":0}""", 1)]
    [InlineData("""{"state":"lost"}""", 75)]
    [InlineData("""{"state":"lost","exitCode":0}""", 75)]
    [InlineData("""{"state":"succeeded"}""", 0)]
    [InlineData("""{"state":"failed"}""", 1)]
    public void The_status_is_the_works_own(string execution, int status) =>
        Assert.Equal(status, ExitCodes.Of(JsonFields.Parse(Encoding.UTF8.GetBytes(execution))));
}
