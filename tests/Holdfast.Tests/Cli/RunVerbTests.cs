namespace Holdfast.Tests.Cli;

public sealed class RunVerbTests
{
    private const string Started = """
        {"id":"r","path":"/w/n.ipynb","state":"running","cells":[{"index":0,"cellId":"a","executionId":"e0"},{"index":1,"cellId":"long","executionId":"e1"},{"index":2,"cellId":"c","executionId":"e2"}]}
        """;

    private const string Ended = """
        {"id":"r","path":"/w/n.ipynb","state":"failed","reason":"Cell 1 failed.","createdAt":"2026-01-01T00:00:00.000000Z","finishedAt":"2026-01-01T00:00:03.500000Z",
        "cells":[{"state":"succeeded"},{"state":"failed"},{"state":"cancelled"}]}
        """;

    private readonly CliRun _cli = new() { CurrentDirectory = "/w" };

    [Fact]
    public async Task Each_cell_has_a_line_and_the_end_has_the_counts()
    {
        await using ScriptedServer server = await NotebookServerAsync();

        Assert.Equal(1, await _cli.RunAsync(server, "run", "n.ipynb"));
        Assert.Equal(
            """
            run r
            [1/3] a    succeeded 1.5s
            [2/3] long failed 2.0s: NameError: x
            Cell 1 failed.
            /w/n.ipynb: failed (1 failed, 1 not run, 1 succeeded) in 3.5s

            """,
            _cli.Terminal.Output
        );
    }

    [Fact]
    public async Task With_output_in_a_pipe_the_progress_stands_on_standard_error()
    {
        await using ScriptedServer server = await NotebookServerAsync();

        Assert.Equal(1, await _cli.RunAsync(server, "run", "n.ipynb", "--output"));
        Assert.Equal("said by e0\nsaid by e1\nsaid by e2\n", _cli.Terminal.Output);
        Assert.Contains("[1/3] a    succeeded 1.5s\n", _cli.Terminal.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_a_terminal_the_status_line_gives_way_to_the_output()
    {
        var cli = new CliRun { Terminal = new FakeTerminal { IsOutputTerminal = true } };
        cli.Variables["TERM"] = "xterm";
        await using ScriptedServer server = await NotebookServerAsync();

        Assert.Equal(1, await cli.RunAsync(server, "run", "n.ipynb"));
        Assert.Contains("\r\e[2K[1/3] a    ... 0.0s\r\e[2Ksaid by e0\n", cli.Terminal.Output, StringComparison.Ordinal);
        Assert.EndsWith(" in 3.5s\n", cli.Terminal.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_JSON_there_is_the_run_and_nothing_else()
    {
        await using ScriptedServer server = await NotebookServerAsync();

        Assert.Equal(1, await _cli.RunAsync(server, "run", "n.ipynb", "--json"));
        Assert.Equal(1, _cli.Terminal.Output.Count(c => c == '\n'));
        Assert.StartsWith("{\"id\":\"r\",", _cli.Terminal.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detached_it_prints_the_id()
    {
        await using ScriptedServer server = await NotebookServerAsync();

        Assert.Equal(0, await _cli.RunAsync(server, "run", "n.ipynb", "--detach"));
        Assert.Equal("r\n", _cli.Terminal.Output);
    }

    [Theory]
    [InlineData("""{"path":"/w/n.ipynb"}""")]
    [InlineData(
        """{"path":"/w/n.ipynb","kernel":"k","cells":[0,3],"stopOnError":false}""",
        "--kernel",
        "k",
        "--cells",
        "0,3",
        "--keep-going"
    )]
    [InlineData("""{"path":"/w/n.ipynb","cells":["a","b-1"]}""", "--cells", "a, b-1")]
    [InlineData("""{"path":"/w/n.ipynb","from":4}""", "--from", "4")]
    [InlineData("""{"path":"/w/n.ipynb","from":"setup"}""", "--from", "setup")]
    [InlineData("""{"path":"/w/n.ipynb","from":"failed"}""", "--resume")]
    [InlineData(
        """{"path":"/w/n.ipynb","parameters":{"a":-1,"b":"1","c":[2]}}""",
        "--parameters",
        """{"a":7,"c":[2]}""",
        "-p",
        "a",
        "-1",
        "-r",
        "b",
        "1"
    )]
    [InlineData(
        """{"path":"/w/n.ipynb","callback":{"url":"https://h/x","secrets":["whsec_a"],"schedule":"once"}}""",
        "--callback",
        "https://h/x",
        "--callback-secret",
        "whsec_a",
        "--callback-schedule",
        "once"
    )]
    public async Task The_options_become_the_request(string body, params string[] options)
    {
        await using ScriptedServer server = await NotebookServerAsync();

        Assert.Equal(0, await _cli.RunAsync(server, ["run", "n.ipynb", "--detach", .. options]));
        Assert.Equal(body, server.Seen[0].Body);
    }

    [Theory]
    [InlineData("--cells", "0,a")]
    [InlineData("--cells", ",")]
    [InlineData("--cells", "0", "--resume")]
    [InlineData("--from", "1", "--resume")]
    [InlineData("--parameters", "{oops}")]
    [InlineData("--parameters", "/nonexistent.json")]
    [InlineData("--callback-schedule", "once")]
    public async Task A_mistake_is_found_before_anything_is_asked(params string[] options)
    {
        Assert.Equal(2, await _cli.RunAsync(["run", "n.ipynb", .. options])); // No server is named: asking would have been another code.
        Assert.Contains(options[0], _cli.Terminal.Error, StringComparison.Ordinal);
    }

    private static Task<ScriptedServer> NotebookServerAsync() =>
        ScriptedServer.StartAsync(
            (request, context) =>
                request switch
                {
                    "POST /v1/notebooks/run" => ScriptedServer.JsonAsync(context, Started, 201),
                    _ when request.StartsWith("GET /v1/notebooks/runs/r?", StringComparison.Ordinal) => ScriptedServer.JsonAsync(
                        context,
                        Ended
                    ),
                    _ when request.Contains("/follow", StringComparison.Ordinal) => FollowAsync(request, context),
                    _ => ScriptedServer.JsonAsync(context, Cell(request)),
                }
        );

    private static async Task FollowAsync(string request, Microsoft.AspNetCore.Http.HttpContext context)
    {
        string text = $"said by {request.Split('/')[3]}\n";
        await ScriptedServer.EventAsync(context, text.Length, text);
        await ScriptedServer.EndAsync(context, Cell(request));
    }

    private static string Cell(string request) =>
        request.Split('/')[3] switch
        {
            "e0" =>
                """{"id":"e0","state":"succeeded","startedAt":"2026-01-01T00:00:00.000000Z","finishedAt":"2026-01-01T00:00:01.500000Z"}""",
            "e1" =>
                """{"id":"e1","state":"failed","reason":"NameError: x\nat line 1","startedAt":"2026-01-01T00:00:01.500000Z","finishedAt":"2026-01-01T00:00:03.500000Z"}""",
            _ => """{"id":"e2","state":"cancelled","startedAt":null}""",
        };
}
