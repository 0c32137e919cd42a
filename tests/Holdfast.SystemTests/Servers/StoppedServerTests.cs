using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.Protocol.Processes;
using Holdfast.SystemTests.Jupyter;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Servers;

/// <summary>A server that stands still (SIGSTOP, a suspended laptop, a starved machine) and goes on as if nothing had been.</summary>
public sealed class StoppedServerTests
{
    /// <summary>Longer than the patience with supervisors, their hello and their answers, which is five seconds.</summary>
    [Fact]
    public Task Nothing_is_lost_doubled_or_called_dead_by_a_server_that_stood_still() => StandStillAsync(seconds: 6);

    /// <summary>Longer than anybody waits for anything: callbacks have thirty seconds.</summary>
    [Fact(Explicit = true)]
    public Task Nor_by_one_that_stood_still_for_longer_than_every_timeout() => StandStillAsync(seconds: 45);

    /// <summary>
    /// Goal: time that passes without the server is no reason for anything. Method: with jobs, a kernel that computes, clients that hang on
    /// wait, follow and a WebSocket, and a callback in flight, the server is stopped until a job's own clock has run out; what ended
    /// meanwhile, and what goes on, is then looked at.
    /// </summary>
    private static async Task StandStillAsync(int seconds)
    {
        using var isAnswered = new ManualResetEventSlim();
        using var receiver = new WebhookReceiver(_ =>
        {
            isAnswered.Wait(Patience.Limit);
            return WebhookReceiver.Status(200);
        });
        await using TestServer server = await TestServer.StartAsync(
            new TestServerOptions
            {
                Arguments = ["--slots", "4", "--cull-idle-timeout", "1", "--cull-interval", "1"],
                Environment = new Dictionary<string, string> { ["HOLDFAST_CALLBACKS_ALLOW"] = "127.0.0.0/8" },
            }
        );

        // Up before the callback is begun, which is given up after thirty seconds: a kernel may take as long to start.
        string kernel = await KernelSocket.StartKernelAsync(server);
        using KernelSocket socket = await KernelSocket.OpenAsync(server, kernel, "the session");
        string first = await socket.ExecuteAsync("import time");
        await socket.ReadUntilAsync(m => m.ParentId == first && m.State == "idle");
        var truth = new TruthFile(server.PathOf("truth"));
        string told = await SubmitAsync(server, truth, "true", receiver.Url());
        string clock = await SubmitAsync(
            server,
            truth,
            string.Create(
                CultureInfo.InvariantCulture,
                $"i=0; while [ $i -lt {seconds * 10} ]; do echo line $i; sleep 0.1; i=$((i+1)); done"
            )
        );
        string late = await SubmitAsync(server, truth, "sleep 1000", timeoutSeconds: 2);
        string endless = await SubmitAsync(server, truth, "sleep 1000");
        string queued = await SubmitAsync(server, truth, "sleep 1000");
        await receiver.WaitForAsync(1);
        await server.Rest.WaitForStateAsync(endless, "running");
        string cell = await socket.ExecuteAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"for i in range({seconds * 10}):\n    print('tick', i, flush=True); time.sleep(0.1)"
            )
        );
        await socket.ReadUntilAsync(m => m.ParentId == cell && m.Text.Length > 0);
        Task<ExecutionReply> waiting = server.Rest.WaitAsync(clock);
        Task<string> following = FollowAsync(server, clock);

        _ = Libc.Kill(server.Process.Id, Libc.SigStop);
        isAnswered.Set(); // The answer lies in the socket of a server that does not read it.
        await Patience.UntilAsync(() => truth.Of(clock).Exists(static t => t.Word == "end"), "the job had ended");
        _ = Libc.Kill(server.Process.Id, Libc.SigCont);

        Assert.Equal(("succeeded", 1), (await waiting) is var end ? (end.State, end.Attempt) : default);
        string lines = string.Concat(
            Enumerable.Range(0, seconds * 10).Select(static i => string.Create(CultureInfo.InvariantCulture, $"line {i}\n"))
        );
        Assert.Equal(lines, await following);
        Assert.Equal(lines, await server.Rest.OutputTextAsync(clock));
        Assert.Equal(("timedOut", 1), (await server.Rest.WaitAsync(late)) is var over ? (over.State, over.Attempt) : default);

        // The kernel was busy all the time, whatever its last message's age says; its client is shown the rest on the same connection.
        var ticks = new StringBuilder();
        await socket.ReadUntilAsync(m => m.ParentId == cell && ticks.Append(m.Text) is not null && m.State == "idle");
        Assert.EndsWith(
            string.Create(CultureInfo.InvariantCulture, $"tick {(seconds * 10) - 1}\n"),
            ticks.ToString(),
            StringComparison.Ordinal
        );
        Assert.Equal((seconds * 10) - 1, ticks.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);

        // What ran runs, what waited has the free place, each started once, and nobody is called dead.
        Assert.Equal(("running", 1), (await server.Rest.ExecutionAsync(endless)) is var on ? (on.State, on.Attempt) : default);
        await Patience.UntilAsync(async () => (await server.Rest.ExecutionAsync(queued)).State == "running", "the one that waited ran");
        await Patience.UntilAsync(
            async () =>
                (await server.Rest.GetAsync("/v1/supervisors"))
                    .Must(200)
                    .Json.GetProperty("supervisors")
                    .EnumerateArray()
                    .All(static s => s.GetProperty("liveness").GetString() == "fresh"),
            "all supervisors were fresh"
        );
        Assert.All(truth.Read().CountBy(static t => (t.Execution, t.Word)), static count => Assert.Equal(1, count.Value));

        JsonElement callback = default;
        await Patience.UntilAsync(
            async () =>
                (callback = (await server.Rest.GetAsync("/v1/callbacks?executionId=" + told)).Must(200).Json[0])
                    .GetProperty("state")
                    .GetString() == "delivered",
            "the callback was taken"
        );
        Assert.Single(receiver.Received.Select(static r => (r.Id, r.Text)).Distinct());
        // Past its own limit it may have been given up, and is then told again under the same id.
        Assert.InRange(receiver.Received.Count, 1, seconds < 30 ? 1 : 2);
        Assert.DoesNotContain(" died", server.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("lost", server.Log, StringComparison.OrdinalIgnoreCase);
    }

    private static Task<string> SubmitAsync(
        TestServer server,
        TruthFile truth,
        string script,
        string? callback = null,
        double? timeoutSeconds = null
    )
    {
        JsonObject job = RestClient.Shell($"{truth.Tell("start")}; {script}; {truth.Tell("end")}");
        if (callback is not null)
        {
            job["callback"] = new JsonObject
            {
                ["url"] = callback,
                ["secret"] = HouseJob.CallbackSecret,
                ["schedule"] = new JsonArray(1, 1, 1),
            };
        }

        if (timeoutSeconds is { } limit)
        {
            job["timeoutSeconds"] = limit;
        }

        return server.Rest.SubmitAsync(job);
    }

    private static async Task<string> FollowAsync(TestServer server, string id)
    {
        using var bytes = new MemoryStream();
        await foreach (
            StreamEvent e in server.Rest.FollowAsync(
                $"/v1/executions/{id}/follow?stream=stdout",
                null,
                TestContext.Current.CancellationToken
            )
        )
        {
            if (e.Name == "end")
            {
                return Encoding.UTF8.GetString(bytes.ToArray());
            }

            bytes.Write(Convert.FromBase64String(e.Data));
        }

        throw new InvalidOperationException("The stream ended before the job did.");
    }
}
