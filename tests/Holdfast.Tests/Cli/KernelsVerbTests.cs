namespace Holdfast.Tests.Cli;

public sealed class KernelsVerbTests
{
    [Theory]
    [InlineData(false, "lives", "died")]
    [InlineData(true, "lives", "died", "was-stopped")]
    public async Task Those_that_were_stopped_are_listed_when_they_are_asked_for(bool all, params string[] listed)
    {
        var cli = new CliRun();
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (_, context) =>
                ScriptedServer.JsonAsync(
                    context,
                    """{"kernels":[{"id":"lives","state":"running"},{"id":"died","state":"dead"},{"id":"was-stopped","state":"stopped"}]}"""
                )
        );

        Assert.Equal(0, await cli.RunAsync(server, all ? ["kernels", "--all"] : ["kernels"]));

        Assert.Equal(
            listed,
            cli.Terminal.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(static line => line.Split(' ')[0])
        );
    }

    [Fact]
    public async Task A_kernel_is_started_with_the_limits_that_were_given()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (_, context) => ScriptedServer.JsonAsync(context, """{"id":"k"}""", 201)
        );

        Assert.Equal(0, await new CliRun().RunAsync(server, "kernels", "start", "python3", "--memory", "2G", "--cpus", "1.5"));
        Assert.Equal(0, await new CliRun().RunAsync(server, "kernels", "start", "--cpus", "2"));
        Assert.Equal(2, await new CliRun().RunAsync(server, "kernels", "start", "--cpus", "-1"));

        Assert.Contains(""""limits":{"memoryBytes":2147483648,"cpus":1.5}"""", server.Seen[0].Body, StringComparison.Ordinal);
        Assert.Contains(""""limits":{"cpus":2}"""", server.Seen[1].Body, StringComparison.Ordinal);
        Assert.Equal(2, server.Seen.Count);
    }
}
