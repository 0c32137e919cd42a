using Microsoft.AspNetCore.Http;

namespace Holdfast.Tests.Cli;

/// <summary>Goal: every byte once, in order, whatever happens to the connection. Method: a server that cuts it at chosen places.</summary>
public sealed class OutputFollowingTests
{
    private const string All = "0123456789abcdefghij";
    private readonly CliRun _cli = new();

    [Fact]
    public async Task Present_output_is_printed_from_the_offset()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (_, context) => ScriptedServer.OutputAsync(context, All, isComplete: true)
        );

        Assert.Equal(0, await _cli.RunAsync(server, "logs", "x", "--offset", "15", "--stream", "stderr"));
        Assert.Equal("fghij", _cli.Terminal.Output);
        Assert.Equal(["GET /v1/executions/x/output?stream=stderr&offset=15"], server.Asked);
    }

    [Fact]
    public async Task In_JSON_every_piece_says_where_it_lies()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (_, context) => ScriptedServer.OutputAsync(context, All, isComplete: true)
        );

        Assert.Equal(0, await _cli.RunAsync(server, "logs", "x", "--offset", "17", "--json"));
        Assert.Equal("{\"offset\":17,\"nextOffset\":20,\"data\":\"aGlq\"}\n", _cli.Terminal.Output);
    }

    [Fact]
    public async Task A_connection_cut_while_following_is_taken_up_at_the_exact_byte()
    {
        int follows = 0;
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            async (request, context) =>
            {
                if (request.Contains("/output", StringComparison.Ordinal))
                {
                    await ScriptedServer.OutputAsync(context, All[..5], isComplete: false);
                    return;
                }

                int from = (int)ScriptedServer.Offset(context);
                if (++follows < 4)
                {
                    await ScriptedServer.EventAsync(context, from + 3, All[from..(from + 3)]);
                    context.Abort();
                    return;
                }

                await ScriptedServer.EventAsync(context, All.Length, All[from..]);
                await ScriptedServer.EndAsync(context, CliRun.Execution("x", "succeeded"));
            }
        );

        Assert.Equal(0, await _cli.RunAsync(server, "logs", "x", "-f"));
        Assert.Equal(All, _cli.Terminal.Output);
        Assert.Equal(4, follows);
    }

    [Fact]
    public async Task A_body_that_breaks_off_is_read_on_from_where_it_broke()
    {
        int asked = 0;
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            async (_, context) =>
            {
                if (++asked > 1)
                {
                    await ScriptedServer.OutputAsync(context, All, isComplete: true);
                    return;
                }

                context.Response.ContentLength = All.Length;
                await context.Response.WriteAsync(All[..7]);
                await context.Response.Body.FlushAsync();
                context.Abort();
            }
        );

        Assert.Equal(0, await _cli.RunAsync(server, "logs", "x"));
        Assert.Equal(All, _cli.Terminal.Output);
    }

    [Fact]
    public async Task Counts_that_differ_stop_it_rather_than_print_a_byte_twice()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (request, context) =>
                request.Contains("/output", StringComparison.Ordinal)
                    ? ScriptedServer.OutputAsync(context, "", isComplete: false)
                    : ScriptedServer.EventAsync(context, 99, "abc")
        );

        Assert.Equal(1, await _cli.RunAsync(server, "logs", "x", "-f"));
        Assert.Contains("the server is at byte 99, this is at byte 3", _cli.Terminal.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_end_before_the_outcome_is_followed_until_the_outcome_is_known()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (request, context) =>
                request.Contains("/output", StringComparison.Ordinal)
                    ? ScriptedServer.OutputAsync(
                        context,
                        request.EndsWith("offset=0", StringComparison.Ordinal) ? "" : All,
                        isComplete: !request.EndsWith("offset=0", StringComparison.Ordinal)
                    )
                : request.Contains("/follow", StringComparison.Ordinal) ? FollowAsync(context)
                : ScriptedServer.JsonAsync(context, CliRun.Execution("x", "failed", ",\"exitCode\":4"))
        );

        Assert.Equal(4, await _cli.RunAsync(server, "attach", "x", "--no-stdin"));
        Assert.Equal(All, _cli.Terminal.Output);

        static async Task FollowAsync(HttpContext context)
        {
            await ScriptedServer.EventAsync(context, All.Length - 1, All[..^1]);
            await ScriptedServer.EndAsync(context, CliRun.Execution("x", "running"));
        }
    }

    [Fact]
    public async Task Ctrl_C_stops_the_following_with_130_and_says_how_to_come_back_to_the_byte()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            async (request, context) =>
            {
                if (request.Contains("/output", StringComparison.Ordinal))
                {
                    await ScriptedServer.OutputAsync(context, All, isComplete: false);
                    return;
                }

                await ScriptedServer.EventAsync(context, All.Length + 3, "end");
                await ScriptedServer.NeverAsync(context);
            }
        );
        _cli.Terminal.OnOutput = output =>
        {
            if (output.EndsWith("end", StringComparison.Ordinal))
            {
                _cli.CtrlC.Cancel();
            }
        };

        Assert.Equal(130, await _cli.RunAsync(server, "logs", "x", "-f"));
        Assert.Equal("\nholdfast: the work goes on; come back to it with: holdfast logs x -f --offset 23\n", _cli.Terminal.Error);
    }

    [Fact]
    public async Task A_server_that_does_not_come_back_is_given_up_after_the_patience()
    {
        var cli = new CliRun { Patience = TimeSpan.Zero };
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (request, context) =>
            {
                if (request.Contains("offset=0", StringComparison.Ordinal))
                {
                    return ScriptedServer.OutputAsync(context, "abc", isComplete: false);
                }

                context.Abort();
                return Task.CompletedTask;
            }
        );

        Assert.Equal(3, await cli.RunAsync(server, "logs", "x", "-f"));
        Assert.Equal("abc", cli.Terminal.Output);
        Assert.Contains("[server-unreachable]", cli.Terminal.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_breaks_off_every_answer_is_given_up_as_well()
    {
        var cli = new CliRun { Patience = TimeSpan.FromMilliseconds(200) };
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            async (request, context) =>
            {
                if (request.Contains("/output", StringComparison.Ordinal))
                {
                    await ScriptedServer.OutputAsync(context, "", isComplete: false);
                    return;
                }

                context.Response.ContentType = "text/event-stream";
                await context.Response.Body.FlushAsync();
                context.Abort();
            }
        );

        Assert.Equal(3, await cli.RunAsync(server, "logs", "x", "-f"));
        Assert.Single(cli.Terminal.Error.Split('\n'), line => line.Contains("the server is away", StringComparison.Ordinal));
    }
}
