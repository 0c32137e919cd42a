namespace Holdfast.Tests.Cli;

public sealed class SubmitVerbTests
{
    private readonly CliRun _cli = new() { CurrentDirectory = "/tmp" };

    [Fact]
    public async Task The_command_line_becomes_the_request()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (_, context) => ScriptedServer.JsonAsync(context, CliRun.Execution("j1", "queued"), 201)
        );
        _cli.Variables["HOSTED"] = "here";

        Assert.Equal(
            0,
            await _cli.RunAsync(
                server,
                "submit",
                "--name",
                "n",
                "--cwd",
                "sub",
                "-e",
                "A=1",
                "-e",
                "HOSTED",
                "-e",
                "A=2",
                "--timeout",
                "1m30s",
                "--label",
                "k=v",
                "--label",
                "bare",
                "--key",
                "K",
                "--open-stdin",
                "--",
                "sh",
                "-c",
                "--json"
            )
        );
        Assert.Equal("j1\n", _cli.Terminal.Output);
        Assert.Equal("K", server.Seen[0].IdempotencyKey);
        Assert.Equal(
            """{"argv":["sh","-c","--json"],"cwd":"/tmp/sub","name":"n","env":{"A":"2","HOSTED":"here"},"labels":{"k":"v","bare":""},"timeoutSeconds":90,"openStdin":true}""",
            server.Seen[0].Body
        );
    }

    [Fact]
    public async Task A_terminal_of_its_own_begins_with_the_size_of_ours()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (_, context) => ScriptedServer.JsonAsync(context, CliRun.Execution("j1", "queued"), 201)
        );

        _cli.Terminal.Size = (41, 132);
        Assert.Equal(0, await _cli.RunAsync(server, "submit", "--pty", "bash"));
        _cli.Terminal.Size = null;
        Assert.Equal(0, await _cli.RunAsync(server, "submit", "--pty", "bash"));
        Assert.Equal("""{"argv":["bash"],"cwd":"/tmp","pty":true,"rows":41,"columns":132}""", server.Seen[0].Body);
        Assert.Equal("""{"argv":["bash"],"cwd":"/tmp","pty":true}""", server.Seen[1].Body);
    }

    [Fact]
    public async Task A_submission_whose_answer_was_lost_is_sent_again_under_the_same_key()
    {
        int asked = 0;
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (_, context) =>
            {
                switch (++asked)
                {
                    case 1:
                        return ScriptedServer.RefuseAsync(context, 503, "recovering", "Not yet.");
                    case 2:
                        context.Abort();
                        return Task.CompletedTask;
                    default:
                        return ScriptedServer.JsonAsync(context, CliRun.Execution("j1", "queued"));
                }
            }
        );

        Assert.Equal(0, await _cli.RunAsync(server, "submit", "true"));
        Assert.Equal(3, asked);
        Assert.Single(server.Seen.Select(r => r.IdempotencyKey).Distinct(), key => key is { Length: 32 });
    }

    [Fact]
    public async Task A_variable_that_is_not_there_is_a_mistake()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync((_, context) => ScriptedServer.JsonAsync(context, "{}"));

        Assert.Equal(2, await _cli.RunAsync(server, "submit", "-e", "MISSING", "true"));
        Assert.Empty(server.Seen);
    }

    [Fact]
    public async Task Text_on_standard_input_goes_along_and_other_bytes_follow()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (_, context) => ScriptedServer.JsonAsync(context, CliRun.Execution("j1", "running"))
        );
        _cli.Terminal.Type("hel");
        _cli.Terminal.Type("lo");

        Assert.Equal(0, await _cli.RunAsync(server, "submit", "--stdin", "-", "cat"));
        Assert.Contains("\"stdin\":\"hello\"", Assert.Single(server.Seen).Body, StringComparison.Ordinal);

        string file = Path.GetTempFileName();
        await File.WriteAllBytesAsync(file, [0xff, 0xfe], TestContext.Current.CancellationToken);
        Assert.Equal(0, await _cli.RunAsync(server, "submit", "--stdin", file, "cat"));
        File.Delete(file);
        Assert.Contains("\"openStdin\":true", server.Seen[1].Body, StringComparison.Ordinal);
        Assert.Equal("/v1/executions/j1/stdin?end=true", server.Seen[2].Path);
    }

    [Fact]
    public async Task Waiting_ends_with_the_commands_status()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (request, context) =>
                ScriptedServer.JsonAsync(
                    context,
                    request.StartsWith("POST", StringComparison.Ordinal)
                        ? CliRun.Execution("j1", "queued")
                        : CliRun.Execution("j1", "failed", ",\"exitCode\":9,\"reason\":\"It exited with code 9.\"")
                )
        );

        Assert.Equal(9, await _cli.RunAsync(server, "submit", "--wait", "false"));
        Assert.Equal("j1\n", _cli.Terminal.Output);
        Assert.Equal("holdfast: failed (exit 9): It exited with code 9.\n", _cli.Terminal.Error);
    }
}
