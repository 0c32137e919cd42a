using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.Protocol;
using Holdfast.SystemTests.Serving;
using Holdfast.SystemTests.Terminals;

namespace Holdfast.SystemTests.Recovery;

/// <summary>Start-ups that are killed, one after the other.</summary>
public sealed class RecoveryCrashTests
{
    /// <summary>
    /// Goal: an interrupted start-up is recognised and finished, wherever it was interrupted and however often. Method: with jobs, locks'
    /// lines, a kernel, a cascade, a terminal and an untold callback in flight the server is killed, and then again at the end of each
    /// phase of its recovery in turn.
    /// </summary>
    [Fact]
    public async Task A_start_up_that_is_killed_at_every_phase_in_turn_is_finished_by_the_last_one()
    {
        bool isReceiving = false;
        using var receiver = new WebhookReceiver(_ => WebhookReceiver.Status(Volatile.Read(ref isReceiving) ? 200 : 503));
        await using TestServer server = TestServer.Prepare(
            new TestServerOptions
            {
                Programs = Published.CrashPoints,
                Arguments = ["--slots", "3"],
                Environment = Allowing(),
            }
        );
        await server.StartAgainAsync();
        int phases = (await server.Rest.GetAsync("/v1/recovery")).Must(200).Json.GetProperty("phases").GetArrayLength();
        var truth = new TruthFile(server.PathOf("truth"));
        string gate = server.PathOf("gate");
        string running = await SubmitAsync(server, truth, gate, "running", "a");
        string waiting = await SubmitAsync(server, truth, gate, "waiting", "a", "b");
        string last = await SubmitAsync(server, truth, gate, "last", "b", "a");
        string other = await SubmitAsync(server, truth, gate, "other");
        await server.Rest.WaitForStateAsync(running, "running");
        await server.Rest.WaitForStateAsync(other, "running");
        RestReply kernel = (await server.Rest.PostAsync("/v1/kernels", """{"name":"python3"}""")).Must(201);
        string terminal = (await server.Rest.PostAsync("/api/terminals", """{"name":"work"}"""))
            .Must(200)
            .Json.GetProperty("execution_id")
            .GetString()!;
        await server.Rest.WaitForStateAsync(terminal, "running");
        JsonObject untold = RestClient.Shell("true");
        untold["callback"] = new JsonObject
        {
            ["url"] = receiver.Url(),
            ["secret"] = HouseJob.CallbackSecret,
            ["schedule"] = new JsonArray([.. Enumerable.Repeat(1.0, 100).Select(static s => (JsonNode)s)]),
        };
        string told = await server.Rest.SubmitAsync(untold);
        await receiver.WaitForAsync(1);
        var book = new ReactiveBook(
            server,
            "book",
            ("show", "print('shown', total)"),
            ("wait", $"import os, time\nwhile not os.path.exists('{gate}'): time.sleep(0.02)\ntotal = first + 1"),
            ("first", "first = 1")
        );
        Cascade cascade = await book.BeginAsync();
        await cascade.WaitForAsync("wait", "running");
        await server.KillAsync();

        for (int phase = 1; phase <= phases; phase++)
        {
            string died = server.PathOf(string.Create(CultureInfo.InvariantCulture, $"died-{phase}"));
            server.Launch(
                new TestServerOptions
                {
                    Programs = Published.CrashPoints,
                    Environment = new Dictionary<string, string>(Allowing())
                    {
                        ["HOLDFAST_CRASH_POINT"] = string.Create(
                            CultureInfo.InvariantCulture,
                            $"{CrashPoint.ServerRecoveryPhaseOver}:{phase}"
                        ),
                        ["HOLDFAST_CRASH_ONCE"] = died,
                    },
                }
            );
            await server
                .Process.WaitForExitAsync(TestContext.Current.CancellationToken)
                .WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
            Assert.True(File.Exists(died), $"It did not come to the end of phase {phase}: {server.Log}");
        }

        await server.StartAgainAsync();
        JsonElement report = (await server.Rest.GetAsync("/v1/recovery")).Must(200).Json;
        Assert.Equal((5, 5), (report.GetProperty("found").GetInt32(), report.GetProperty("readopted").GetInt32()));
        Assert.Equal(phases, report.GetProperty("interrupted").GetArrayLength());
        Assert.All(
            report.GetProperty("phases").EnumerateArray(),
            static p => Assert.Equal(JsonValueKind.Null, p.GetProperty("problem").ValueKind)
        );
        Assert.Equal(phases + 1, report.GetProperty("history").GetArrayLength());
        Assert.Equal(
            $"a: {running} < {waiting} {last}; b:  < {waiting} {last}",
            string.Join(
                "; ",
                (await server.Rest.GetAsync("/v1/locks"))
                    .Json.EnumerateArray()
                    .Select(static l =>
                        $"{l.GetProperty("name")}: {l.GetProperty("holder").GetString()} < {string.Join(' ', l.GetProperty("waiting").EnumerateArray().Select(static w => w.GetString()))}"
                    )
            )
        );
        Assert.Contains(
            "running",
            (await server.Rest.GetAsync($"/v1/kernels/{kernel.Json.GetProperty("id").GetString()}")).Must(200).Text,
            StringComparison.Ordinal
        );

        Volatile.Write(ref isReceiving, true); // Before its tries are used up, however long the rest takes.
        File.WriteAllText(gate, "");
        foreach (string id in (string[])[running, waiting, last, other])
        {
            Assert.Equal("succeeded", (await server.Rest.WaitAsync(id)).State);
        }

        Assert.Equal(
            ["start", "end", "start", "end"],
            truth.Read().Where(t => t.Execution == waiting || t.Execution == last).Select(static t => t.Word)
        );
        Assert.Equal(8, truth.Read().Count);
        Assert.Equal("first=succeeded wait=succeeded show=succeeded", await cascade.EndAsync());
        Assert.Equal("shown 2\n", book.Output("show"));
        Assert.Equal(("running", 1), (await server.Rest.ExecutionAsync(terminal)) is var shell ? (shell.State, shell.Attempt) : default);
        await using (TerminalClient client = await TerminalClient.ConnectAsync(server, "work"))
        {
            await client.TypeAsync("echo al''ive\r");
            await client.UntilShownAsync("alive\r");
        }

        await Patience.UntilAsync(
            async () =>
                (await server.Rest.GetAsync("/v1/callbacks?executionId=" + told)).Json[0].GetProperty("state").GetString() == "delivered",
            "the receiver was told"
        );
        Assert.Single(receiver.Received.Select(static r => (r.Id, r.Text)).Distinct());
    }

    private static Dictionary<string, string> Allowing() => new() { ["HOLDFAST_CALLBACKS_ALLOW"] = "127.0.0.0/8" };

    private static Task<string> SubmitAsync(TestServer server, TruthFile truth, string gate, string name, params string[] locks)
    {
        JsonObject job = RestClient.Shell($"{truth.Tell("start")}; while [ ! -e '{gate}' ]; do sleep 0.02; done; {truth.Tell("end")}");
        job["name"] = name;
        job["locks"] = new JsonArray([.. locks.Select(static l => (JsonNode)l)]);
        return server.Rest.SubmitAsync(job);
    }
}
