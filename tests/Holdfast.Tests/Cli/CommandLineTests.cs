using Holdfast.Server.Cli.Syntax;
using Holdfast.Server.Cli.Verbs;

namespace Holdfast.Tests.Cli;

/// <summary>How the program ends: exit codes, and what stands on which stream.</summary>
public sealed class CommandLineTests
{
    private readonly CliRun _cli = new();

    [Fact]
    public async Task The_version_is_printed()
    {
        Assert.Equal(0, await _cli.RunAsync("version"));
        Assert.Equal("holdfast 0.1.0\n", _cli.Terminal.Output);
    }

    [Fact]
    public async Task Without_a_verb_the_help_stands_on_standard_error()
    {
        Assert.Equal(2, await _cli.RunAsync());
        Assert.StartsWith("holdfast:", _cli.Terminal.Error, StringComparison.Ordinal);
        Assert.Empty(_cli.Terminal.Output);
    }

    [Fact]
    public async Task Every_verb_has_a_help_that_names_its_options()
    {
        foreach (Verb verb in VerbList.All)
        {
            var cli = new CliRun();

            Assert.Equal(0, await cli.RunAsync(verb.Name, "--help"));
            Assert.StartsWith($"usage: holdfast {verb.Name}", cli.Terminal.Output, StringComparison.Ordinal);
            Assert.All(verb.Options, option => Assert.Contains(option.Name, cli.Terminal.Output, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("serve", "--url")]
    [InlineData("version", "--token")]
    [InlineData("install-service", "--json")]
    [InlineData("token", "--url")]
    public async Task A_verb_that_speaks_to_no_server_neither_lists_nor_takes_what_would_mean_nothing_to_it(string verb, string option)
    {
        Assert.Equal(0, await _cli.RunAsync(verb, "--help"));
        Assert.DoesNotContain(option, _cli.Terminal.Output, StringComparison.Ordinal);
        Assert.Equal(2, await _cli.RunAsync(verb, option, "x"));
    }

    [Fact]
    public void The_names_of_the_verbs_are_fixed() =>
        Assert.Equal(
            [
                "serve",
                "run",
                "submit",
                "ls",
                "status",
                "wait",
                "logs",
                "attach",
                "cancel",
                "pause",
                "resume",
                "retry",
                "stdin",
                "notebook",
                "kernels",
                "locks",
                "supervisors",
                "callbacks",
                "assets",
                "recovery",
                "token",
                "tokens",
                "audit",
                "feed",
                "statistics",
                "retention",
                "doctor",
                "stop",
                "install-service",
                "version",
            ],
            VerbList.All.Select(v => v.Name)
        );

    [Theory]
    [InlineData("There is no verb 'wiat'; perhaps wait. See: holdfast --help", "wiat")]
    [InlineData("There is no option --folow of holdfast logs; perhaps --follow.", "logs", "x", "--folow")]
    [InlineData("Something is missing: holdfast wait ID... [--timeout TIME]", "wait")]
    [InlineData("--timeout takes seconds or a time such as 90, 1.5, 10m or 1h30m, not 'soon'.", "wait", "x", "--timeout", "soon")]
    [InlineData(
        "--state takes waiting, queued, starting, running, paused, blocked, succeeded, failed, cancelled, timedOut, lost, not 'done'.",
        "ls",
        "--state",
        "done"
    )]
    [InlineData(
        "stop ends a process on this machine: give its data directory with --data, not an address.",
        "stop",
        "--url",
        "http://127.0.0.1:1"
    )]
    [InlineData("'a/b' is not an id.", "status", "a/b")]
    public async Task A_wrong_command_line_exits_with_2(string sentence, params string[] args)
    {
        Assert.Equal(2, await _cli.RunAsync(args));
        Assert.Equal($"holdfast: {sentence} [invalid-request]\n", _cli.Terminal.Error);
    }

    [Fact]
    public async Task Without_a_server_it_exits_with_3_and_says_how_to_start_one()
    {
        Assert.Equal(3, await _cli.RunAsync("ls"));
        Assert.Equal(
            "holdfast: No server runs on the data directory /nonexistent/holdfast. Start one with: holdfast serve [server-unreachable]\n",
            _cli.Terminal.Error
        );
    }

    [Fact]
    public async Task A_refusal_is_the_servers_sentence_and_code()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (_, context) => ScriptedServer.RefuseAsync(context, 409, "illegal-transition", "It has ended.")
        );

        Assert.Equal(1, await _cli.RunAsync(server, "pause", "x"));
        Assert.Equal("holdfast: It has ended. [illegal-transition]\n", _cli.Terminal.Error);
    }

    [Fact]
    public async Task A_server_that_is_not_ours_is_unreachable()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync((_, context) => ScriptedServer.JsonAsync(context, "{}", 404));

        Assert.Equal(3, await _cli.RunAsync(server, "status", "x"));
        Assert.Contains("not as Holdfast does: HTTP 404 application/json", _cli.Terminal.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_recovering_server_is_waited_for()
    {
        int asked = 0;
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (_, context) =>
                ++asked < 3
                    ? ScriptedServer.RefuseAsync(context, 503, "recovering", "Not yet.")
                    : ScriptedServer.JsonAsync(context, """{"executions":[],"next":null}""")
        );

        Assert.Equal(0, await _cli.RunAsync(server, "ls"));
        Assert.Equal(3, asked);
    }

    [Fact]
    public async Task The_token_is_shown()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (_, context) => ScriptedServer.JsonAsync(context, """{"executions":[],"next":null}""")
        );

        Assert.Equal(0, await _cli.RunAsync(server, "--token", "T", "ls", "--json"));
        Assert.Equal("Bearer T", server.Seen[0].Authorization);
        Assert.Equal("{\"executions\":[],\"next\":null}\n", _cli.Terminal.Output);
    }

    [Fact]
    public async Task A_reader_that_has_gone_ends_it_quietly()
    {
        var cli = new CliRun { Terminal = new FakeTerminal { ClosesAfterBytes = 3 } };
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (_, context) => ScriptedServer.OutputAsync(context, "too much for it", isComplete: true)
        );

        Assert.Equal(141, await cli.RunAsync(server, "logs", "x"));
        Assert.Empty(cli.Terminal.Error);
    }
}
