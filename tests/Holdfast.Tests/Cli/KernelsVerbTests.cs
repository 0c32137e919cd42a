namespace Holdfast.Tests.Cli;

public sealed class KernelsVerbTests
{
    [Theory]
    [InlineData(false, "lives", "died")]
    [InlineData(true, "lives", "died", "was-stopped")]
    public async Task Those_that_were_stopped_are_listed_when_they_are_asked_for(bool all, params string[] listed)
    {
        var cli = new CliRun();
        await using ScriptedServer server = await ScriptedServer.StartAsync((_, context) => ScriptedServer.JsonAsync(context,
            """{"kernels":[{"id":"lives","state":"running"},{"id":"died","state":"dead"},{"id":"was-stopped","state":"stopped"}]}"""));

        Assert.Equal(0, await cli.RunAsync(server, all ? ["kernels", "--all"] : ["kernels"]));

        Assert.Equal(listed, cli.Terminal.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(static line => line.Split(' ')[0]));
    }
}
