namespace Holdfast.Tests.Cli;

public sealed class WaitVerbTests
{
    private readonly CliRun _cli = new();

    [Fact]
    public async Task It_asks_until_the_work_has_ended_and_ends_with_its_status()
    {
        int asked = 0;
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (_, context) =>
                ScriptedServer.JsonAsync(
                    context,
                    ++asked < 3 ? CliRun.Execution("x", "running") : CliRun.Execution("x", "failed", ",\"signal\":9"),
                    asked < 3 ? 202 : 200
                )
        );

        Assert.Equal(137, await _cli.RunAsync(server, "wait", "x"));
        Assert.Equal("x failed (signal 9)\n", _cli.Terminal.Output);
    }

    [Fact]
    public async Task Of_several_the_first_that_did_not_succeed_counts()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (request, context) =>
                ScriptedServer.JsonAsync(
                    context,
                    request switch
                    {
                        _ when request.Contains("/a", StringComparison.Ordinal) => CliRun.Execution("a", "succeeded", ",\"exitCode\":0"),
                        _ when request.Contains("/b", StringComparison.Ordinal) => CliRun.Execution("b", "failed", ",\"exitCode\":5"),
                        _ => CliRun.Execution("c", "failed", ",\"exitCode\":6"),
                    }
                )
        );

        Assert.Equal(5, await _cli.RunAsync(server, "wait", "a", "b", "c"));
    }

    [Fact]
    public async Task The_id_of_a_notebook_run_will_do()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (request, context) =>
                request switch
                {
                    _ when request.Contains("/executions/", StringComparison.Ordinal) => ScriptedServer.RefuseAsync(
                        context,
                        404,
                        "execution-not-found",
                        "No such execution."
                    ),
                    _ when request.Contains("timeoutSeconds", StringComparison.Ordinal) => ScriptedServer.JsonAsync(
                        context,
                        """{"id":"r","state":"lost","cells":[]}"""
                    ),
                    _ => ScriptedServer.JsonAsync(context, """{"id":"r","state":"running","cells":[]}"""),
                }
        );

        Assert.Equal(75, await _cli.RunAsync(server, "wait", "r", "--json"));
        Assert.Equal("{\"id\":\"r\",\"state\":\"lost\",\"cells\":[]}\n", _cli.Terminal.Output);
    }

    [Fact]
    public async Task What_is_neither_is_refused_as_an_execution()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (request, context) =>
                ScriptedServer.RefuseAsync(
                    context,
                    404,
                    request.Contains("/runs/", StringComparison.Ordinal) ? "run-not-found" : "execution-not-found",
                    "Unknown."
                )
        );

        Assert.Equal(1, await _cli.RunAsync(server, "wait", "x"));
        Assert.Equal("holdfast: Unknown. [execution-not-found]\n", _cli.Terminal.Error);
    }

    [Fact]
    public async Task When_the_time_is_up_it_exits_with_124()
    {
        await using ScriptedServer server = await NeverEndingAsync();

        Assert.Equal(124, await _cli.RunAsync(server, "wait", "x", "--timeout", "50ms"));
        Assert.Equal("holdfast: the time is up; the work goes on\n", _cli.Terminal.Error);
    }

    [Fact]
    public async Task Ctrl_C_stops_the_waiting_with_130()
    {
        await using ScriptedServer server = await NeverEndingAsync(() => _cli.CtrlC.Cancel());

        Assert.Equal(130, await _cli.RunAsync(server, "wait", "x"));
        Assert.Equal("\nholdfast: the work goes on; come back to it with: holdfast wait x\n", _cli.Terminal.Error);
    }

    private static Task<ScriptedServer> NeverEndingAsync(Action? onWait = null) =>
        ScriptedServer.StartAsync(
            (request, context) =>
            {
                if (!request.Contains("/wait", StringComparison.Ordinal))
                {
                    return ScriptedServer.JsonAsync(context, CliRun.Execution("x", "running"));
                }

                onWait?.Invoke();
                return ScriptedServer.NeverAsync(context);
            }
        );
}
