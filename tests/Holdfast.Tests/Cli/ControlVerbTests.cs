using System.Text.Json;
using Holdfast.Server.Cli;

namespace Holdfast.Tests.Cli;

public sealed class ControlVerbTests
{
    private readonly CliRun _cli = new();

    [Fact]
    public async Task Every_id_is_tried_and_one_refusal_makes_it_1()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (request, context) =>
                request.Contains("/bad/", StringComparison.Ordinal)
                    ? ScriptedServer.RefuseAsync(context, 409, "illegal-transition", "It has ended.")
                    : ScriptedServer.JsonAsync(context, CliRun.Execution("good", "paused"))
        );

        Assert.Equal(1, await _cli.RunAsync(server, "pause", "bad", "good"));
        Assert.Equal("good paused\n", _cli.Terminal.Output);
        Assert.Equal("holdfast: It has ended. [illegal-transition]\n", _cli.Terminal.Error);
    }

    [Fact]
    public async Task Many_are_cancelled_side_by_side_and_told_in_their_order()
    {
        var second = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            async (request, context) =>
            {
                string id = request.Contains("/first/", StringComparison.Ordinal) ? "first" : "second";
                if (id == "second")
                {
                    second.TrySetResult();
                }

                await second.Task; // The first is answered only when the second has been asked for.
                await ScriptedServer.JsonAsync(context, CliRun.Execution(id, "cancelled"));
            }
        );

        Assert.Equal(0, await _cli.RunAsync(server, "cancel", "first", "second"));
        Assert.Equal("first cancelled\nsecond cancelled\n", _cli.Terminal.Output);
    }

    [Fact]
    public async Task Cancelling_a_run_cancels_its_open_cells_from_the_last_on()
    {
        const string Run =
            """{"id":"r","state":"running","cells":[{"executionId":"c0","state":"succeeded"},{"executionId":"c1","state":"running"},{"executionId":"c2","state":"queued"}]}""";
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (request, context) =>
                request switch
                {
                    _ when request.Contains("/executions/r", StringComparison.Ordinal) => ScriptedServer.RefuseAsync(
                        context,
                        404,
                        "execution-not-found",
                        "No such execution."
                    ),
                    _ when request.Contains("/runs/", StringComparison.Ordinal) => ScriptedServer.JsonAsync(context, Run),
                    _ => ScriptedServer.JsonAsync(context, CliRun.Execution("c", "cancelled")),
                }
        );

        Assert.Equal(0, await _cli.RunAsync(server, "cancel", "r"));
        Assert.Equal(
            ["POST /v1/executions/c2/cancel", "POST /v1/executions/c1/cancel"],
            server.Asked.Where(a =>
                a.Contains("/c", StringComparison.Ordinal)
                && a.EndsWith("cancel", StringComparison.Ordinal)
                && !a.Contains("/r/", StringComparison.Ordinal)
            )
        );
    }

    [Fact]
    public async Task A_retry_that_may_have_arrived_is_not_sent_again()
    {
        int asked = 0;
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (_, context) =>
            {
                asked++;
                context.Abort();
                return Task.CompletedTask;
            }
        );

        Assert.Equal(3, await _cli.RunAsync(server, "retry", "x"));
        Assert.Equal(1, asked);
        Assert.Contains("whether it did this is not known", _cli.Terminal.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_is_read_page_by_page_up_to_the_limit()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (request, context) =>
                ScriptedServer.JsonAsync(
                    context,
                    request.Contains("cursor=7", StringComparison.Ordinal)
                        ? """{"executions":[{"id":"b"}],"next":null}"""
                        : """{"executions":[{"id":"a"}],"next":"7"}"""
                )
        );

        Assert.Equal(0, await _cli.RunAsync(server, "ls", "--json", "--limit", "300", "--state", "failed", "--label", "k=v w"));
        Assert.Equal(["a", "b"], JsonDocument.Parse(_cli.Terminal.Output).RootElement.Items("executions").Select(e => e.Text("id")));
        Assert.Equal("GET /v1/executions?limit=200&state=failed&label=k%3Dv%20w", server.Asked.First());
    }

    [Fact]
    public async Task Standard_input_goes_in_pieces_and_waits_where_the_job_is_slow()
    {
        int asked = 0;
        await using ScriptedServer server = await ScriptedServer.StartAsync(
            (_, context) =>
                ++asked == 1
                    ? ScriptedServer.RefuseAsync(context, 429, "stdin-full", "Full.")
                    : ScriptedServer.JsonAsync(context, CliRun.Execution("x", "running"))
        );

        Assert.Equal(0, await _cli.RunAsync(server, "stdin", "x", "hello", "--end"));
        Assert.Equal(["hello\n", "hello\n"], server.Seen.Select(r => r.Body));
        Assert.All(server.Seen, r => Assert.Equal("/v1/executions/x/stdin?end=true", r.Path));
    }
}
