using System.Globalization;
using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jobs;

/// <summary>Callbacks from a real server to a real receiver.</summary>
public sealed class CallbackTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string OtherSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    private static readonly TestServerOptions Allowing = new()
    {
        Environment = new Dictionary<string, string> { ["HOLDFAST_CALLBACKS_ALLOW"] = "127.0.0.0/8" },
    };

    [Fact]
    public async Task Every_way_to_end_is_told_once_and_signed_with_every_secret()
    {
        using var receiver = new WebhookReceiver();
        await using TestServer server = await TestServer.StartAsync(Allowing);
        string url = receiver.Url("/hook?a=b");
        string good = await SubmitAsync(
            server,
            "exit 0",
            new JsonObject { ["url"] = url, ["secrets"] = new JsonArray(Secret, OtherSecret) }
        );
        string bad = await SubmitAsync(server, "exit 3", new JsonObject { ["url"] = url, ["secret"] = Secret });
        string late = await SubmitAsync(
            server,
            "sleep 100",
            new JsonObject { ["url"] = url, ["secret"] = Secret },
            job => job["timeoutSeconds"] = 0.2
        );
        string cancelled = await SubmitAsync(server, "sleep 100", new JsonObject { ["url"] = url, ["secret"] = Secret });
        await server.Rest.WaitForStateAsync(cancelled, "running");
        (await server.Rest.CommandAsync(cancelled, "cancel")).Must(200);
        await receiver.WaitForAsync(4);

        foreach (
            (string id, string type) in (ReadOnlySpan<(string, string)>)
                [(good, "execution.succeeded"), (bad, "execution.failed"), (late, "execution.timedOut"), (cancelled, "execution.cancelled")]
        )
        {
            ReceivedWebhook told = receiver.Received.Single(r => Subject(r) == id);
            Assert.Equal("/hook?a=b", told.Path);
            Assert.Equal("application/json", told.Headers["Content-Type"]);
            Assert.True(told.IsSignedBy(Secret));
            Assert.Equal(id == good, told.IsSignedBy(OtherSecret));
            Assert.Equal(type, JsonNode.Parse(told.Text)!["type"]!.GetValue<string>());
        }

        Assert.Equal(3, JsonNode.Parse(receiver.Received.Single(r => Subject(r) == bad).Text)!["data"]!["exitCode"]!.GetValue<int>());
        JsonNode listed = await SettledAsync(server, good);
        Assert.Equal(("delivered", receiver.Received.Single(r => Subject(r) == good).Id), (Text(listed, "state"), Text(listed, "id")));
        Assert.Equal(200, listed["attempts"]![0]!["status"]!.GetValue<int>());

        // Not by any door, not in the log, and not in the row that has the request.
        Assert.DoesNotContain(
            Secret[6..],
            listed.ToJsonString()
                + (await server.Rest.GetAsync("/v1/executions/" + good)).Text
                + (await server.Rest.GetAsync("/v1/callbacks")).Text
                + server.Log,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task What_was_not_told_when_the_server_was_killed_is_told_by_the_next_one_under_the_same_id()
    {
        bool isUp = false;
        using var receiver = new WebhookReceiver(_ => Volatile.Read(ref isUp) ? WebhookReceiver.Status(204) : null);
        await using TestServer server = await TestServer.StartAsync(Allowing);
        string id = await SubmitAsync(
            server,
            "true",
            new JsonObject
            {
                ["url"] = receiver.Url(),
                ["secret"] = Secret,
                ["schedule"] = new JsonArray(0.2, 3600),
            }
        );
        await receiver.WaitForAsync(2);
        await server.KillAsync();
        Volatile.Write(ref isUp, true);
        await server.StartAgainAsync();
        string callback = receiver.Received.First().Id;

        // The last attempt may have been cut off by the kill, and made again; else it is due in an hour, and a person need not wait.
        JsonNode listed = (await ListAsync(server, id)).Single()!;
        Assert.Equal(callback, Text(listed, "id"));
        if (Text(listed, "state") == "pending")
        {
            // 409: the attempt that was cut off is being made.
            Assert.Contains((await server.Rest.PostAsync($"/v1/callbacks/{callback}/redrive", "")).Status, (int[])[200, 409]);
        }

        Assert.Equal("delivered", Text(await SettledAsync(server, id), "state"));
        Assert.All(receiver.Received, r => Assert.Equal(callback, r.Id));
        Assert.All(receiver.Received, r => Assert.Equal(receiver.Received.First().Text, r.Text));
        Assert.True(receiver.Received.Last().IsSignedBy(Secret));
    }

    [Fact]
    public async Task A_receiver_that_is_not_there_for_good_parks_and_is_redriven()
    {
        int status = 500;
        using var receiver = new WebhookReceiver(_ =>
            WebhookReceiver.Status(Volatile.Read(ref status), "no " + new string('x', 5000), "Location: http://169.254.169.254/")
        );
        await using TestServer server = await TestServer.StartAsync(Allowing);
        string failing = await SubmitAsync(
            server,
            "true",
            new JsonObject { ["url"] = receiver.Url(), ["schedule"] = new JsonArray(0, 0.05) }
        );
        JsonNode parked = await SettledAsync(server, failing);
        Assert.Equal(("parked", 3), (Text(parked, "state"), parked["attempts"]!.AsArray().Count));
        Assert.Equal(1024, Text(parked["attempts"]![2]!, "answer")!.Length);
        Assert.Equal(3, receiver.Received.Count);

        Volatile.Write(ref status, 404);
        string refused = await SubmitAsync(server, "true", new JsonObject { ["url"] = receiver.Url() });
        Assert.Equal("parked", Text(await SettledAsync(server, refused), "state"));
        Volatile.Write(ref status, 410);
        string gone = await SubmitAsync(server, "false", new JsonObject { ["url"] = receiver.Url() });
        Assert.Equal("disabled", Text(await SettledAsync(server, gone), "state"));
        (await server.Rest.CommandAsync(gone, "retry")).Must(200);
        await server.Rest.WaitAsync(gone);
        Assert.Single(await ListAsync(server, gone)); // It wants to hear no more of this one.
        Volatile.Write(ref status, 302);
        string redirected = await SubmitAsync(server, "true", new JsonObject { ["url"] = receiver.Url(), ["schedule"] = "once" });
        Assert.Equal("parked", Text(await SettledAsync(server, redirected), "state"));

        Volatile.Write(ref status, 200);
        (await server.Rest.PostAsync($"/v1/callbacks/{Text(parked, "id")}/redrive", "")).Must(200);
        Assert.Equal("delivered", Text(await SettledAsync(server, failing), "state"));
        Assert.Equal(2, JsonNode.Parse((await server.Rest.GetAsync("/v1/callbacks?state=parked")).Must(200).Text)!.AsArray().Count);
        (await server.Rest.PostAsync("/v1/callbacks/01kcq8v6t0e9m3n5p7r9s1v3x5/redrive", "")).Must(404);
        (await server.Rest.GetAsync("/v1/callbacks?state=nonsense")).Must(400);
    }

    [Fact]
    public async Task Nothing_goes_into_the_private_network_that_nobody_has_allowed()
    {
        using var receiver = new WebhookReceiver();
        await using TestServer server = await TestServer.StartAsync();
        foreach (string url in (string[])[receiver.Url(), "http://localhost:1/", "http://10.0.0.1/", "http://[::1]/", "http://2130706433/"])
        {
            RestReply refusal = (
                await server.Rest.PostAsync("/v1/jobs", Job("true", new JsonObject { ["url"] = url }).ToJsonString())
            ).Must(400);
            Assert.Contains("callback-address-not-allowed", refusal.Text, StringComparison.Ordinal);
            Assert.Contains("HOLDFAST_CALLBACKS_ALLOW", refusal.Text, StringComparison.Ordinal);
        }

        Assert.Contains(
            "callback-url-invalid",
            (await server.Rest.PostAsync("/v1/jobs", Job("true", new JsonObject { ["url"] = "nowhere" }).ToJsonString())).Must(400).Text,
            StringComparison.Ordinal
        );
        Assert.Empty(receiver.Received);
    }

    [Fact]
    public async Task The_end_of_a_notebook_run_is_told()
    {
        using var receiver = new WebhookReceiver();
        await using TestServer server = await TestServer.StartAsync(Allowing);
        await File.WriteAllTextAsync(
            Path.Combine(server.Root, "a.ipynb"),
            """{"cells":[{"cell_type":"code","id":"a","execution_count":null,"metadata":{},"outputs":[],"source":"1 + 1"}],"metadata":{"kernelspec":{"name":"python3","display_name":"Python","language":"python"}},"nbformat":4,"nbformat_minor":5}""",
            TestContext.Current.CancellationToken
        );
        RestReply started = (
            await server.Rest.PostAsync(
                "/v1/notebooks/run",
                $$$"""{"path":"a.ipynb","callback":{"url":"{{{receiver.Url()}}}","secret":"{{{Secret}}}"}}"""
            )
        ).Must(201);
        await receiver.WaitForAsync(1);
        JsonNode told = JsonNode.Parse(receiver.Received.Single().Text)!;
        Assert.Equal(("run.succeeded", Text(JsonNode.Parse(started.Text)!, "id")), (Text(told, "type"), Text(told["data"]!, "id")));
        Assert.True(receiver.Received.Single().IsSignedBy(Secret));
    }

    [Fact]
    public async Task A_command_gets_what_a_receiver_would()
    {
        await using TestServer server = await TestServer.StartAsync();
        string told = server.PathOf("told");
        string script =
            $"echo started; test -e '{told}.second' || {{ touch '{told}.second'; exit 7; }}; cat > '{told}'; echo $HOLDFAST_EXECUTION_ID $HOLDFAST_CALLBACK_TYPE >> '{told}'";
        string id = await SubmitAsync(
            server,
            "exit 4",
            new JsonObject { ["argv"] = new JsonArray("sh", "-c", script), ["schedule"] = new JsonArray(0) }
        );
        JsonNode listed = await SettledAsync(server, id);
        Assert.Equal("delivered", Text(listed, "state"));
        Assert.Equal([7, 0], listed["attempts"]!.AsArray().Select(static a => a!["status"]!.GetValue<int>()));
        Assert.Equal("started\n", Text(listed["attempts"]![0]!, "answer"));
        string text = await File.ReadAllTextAsync(told, TestContext.Current.CancellationToken);
        Assert.EndsWith($"{id} execution.failed\n", text, StringComparison.Ordinal);
        Assert.Contains("\"exitCode\":4", text, StringComparison.Ordinal);
    }

    private static async Task<string> SubmitAsync(TestServer server, string script, JsonObject callback, Action<JsonObject>? amend = null)
    {
        JsonObject job = Job(script, callback);
        amend?.Invoke(job);
        return await server.Rest.SubmitAsync(job);
    }

    private static JsonObject Job(string script, JsonObject callback)
    {
        JsonObject job = RestClient.Shell(script);
        job["callback"] = callback;
        return job;
    }

    private static async Task<JsonNode> SettledAsync(TestServer server, string id)
    {
        JsonNode? settled = null;
        await Patience.UntilAsync(
            async () => (settled = (await ListAsync(server, id)).FirstOrDefault(static c => Text(c!, "settledAt") is not null)) is not null,
            string.Create(CultureInfo.InvariantCulture, $"the callback of {id} was settled")
        );
        return settled!;
    }

    private static async Task<JsonArray> ListAsync(TestServer server, string id) =>
        JsonNode.Parse((await server.Rest.GetAsync("/v1/callbacks?executionId=" + id)).Must(200).Text)!.AsArray();

    private static string? Text(JsonNode node, string name) => node[name]?.GetValue<string>();

    private static string Subject(ReceivedWebhook received) => JsonNode.Parse(received.Text)!["data"]!["id"]!.GetValue<string>();
}
