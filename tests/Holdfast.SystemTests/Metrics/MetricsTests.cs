using System.Globalization;
using Holdfast.SystemTests.Clients;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Metrics;

/// <summary>/metrics of a server that works, as Prometheus would scrape it.</summary>
public sealed class MetricsTests
{
    [Fact]
    public async Task A_scrape_tells_what_runs_what_waits_and_what_has_ended()
    {
        await using TestServer server = await TestServer.StartAsync(new TestServerOptions { Arguments = ["--slots", "2"] });
        _ = await server.Rest.WaitAsync(await server.Rest.SubmitAsync("echo done"));
        _ = await server.Rest.WaitAsync(await server.Rest.SubmitAsync("exit 3"));
        string[] busy =
        [
            await server.Rest.SubmitAsync("sleep 1000"),
            await server.Rest.SubmitAsync("sleep 1000"),
            await server.Rest.SubmitAsync("true"),
        ];
        _ = await server.Rest.WaitForStateAsync(busy[0], "running");
        _ = await server.Rest.WaitForStateAsync(busy[1], "running");

        string page = await ScrapeAsync(server);
        Assert.Equal(2, Value(page, """holdfast_executions{kind="job",state="running"}"""));
        Assert.Equal(1, Value(page, """holdfast_executions{kind="job",state="queued"}"""));
        Assert.Equal(1, Value(page, "holdfast_queue_depth"));
        Assert.True(Value(page, "holdfast_queue_oldest_age_seconds") > 0);
        Assert.Equal(1, Value(page, """holdfast_executions_finished_total{kind="job",state="succeeded"}"""));
        Assert.Equal(1, Value(page, """holdfast_executions_finished_total{kind="job",state="failed"}"""));
        Assert.Equal(5, Value(page, """holdfast_acknowledgement_duration_seconds_count{operation="job"}"""));
        Assert.Equal(4, Value(page, "holdfast_start_duration_seconds_count"));
        Assert.Equal(4, Value(page, "holdfast_queue_wait_duration_seconds_count"));
        Assert.Equal(2, Value(page, """holdfast_supervisors{liveness="fresh"}"""));
        Assert.True(Value(page, "holdfast_store_batch_duration_seconds_count") > 5);
        Assert.True(Value(page, "process_resident_memory_bytes") > 10_000_000);
        Assert.True(Value(page, "process_cpu_seconds_total") > 0);

        await server.KillAsync();
        await server.StartAgainAsync();
        page = await ScrapeAsync(server);
        Assert.Equal(2, Value(page, """holdfast_recovery_attempts{verdict="readopted"}"""));
        Assert.True(Value(page, "holdfast_recovery_duration_seconds") > 0);
        Assert.Contains("holdfast_recovery_phase_duration_seconds{phase=", page, StringComparison.Ordinal);
        await CheckAsync(server, page);
    }

    [Fact]
    public async Task Who_follows_an_output_or_the_feed_is_counted_until_he_leaves()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.Rest.SubmitAsync("echo begun; sleep 1000");
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Task[] followers =
        [
            FollowAsync(server, $"/v1/executions/{id}/follow", leaving.Token),
            FollowAsync(server, "/v1/feed", leaving.Token),
        ];

        await Patience.UntilAsync(async () => await CountAsync(server) == (1, 1), "both were counted");
        await Patience.UntilAsync(
            async () => Value(await ScrapeAsync(server), "holdfast_followers_feed_lag") == 0,
            "the feed's follower had caught up"
        );
        await leaving.CancelAsync();
        await Task.WhenAll(followers);
        await Patience.UntilAsync(async () => await CountAsync(server) == (0, 0), "neither was counted any more");
    }

    private static async Task FollowAsync(TestServer server, string path, CancellationToken leaving)
    {
        try
        {
            await foreach (StreamEvent _ in server.Rest.FollowAsync(path, null, leaving)) { }
        }
        catch (OperationCanceledException) when (leaving.IsCancellationRequested)
        {
            // It leaves.
        }
    }

    private static async Task<(double, double)> CountAsync(TestServer server)
    {
        string page = await ScrapeAsync(server);
        return (Value(page, """holdfast_followers{of="journal"}"""), Value(page, """holdfast_followers{of="feed"}"""));
    }

    [Fact]
    public async Task Without_a_token_nothing_is_told()
    {
        using var http = new HttpClient();
        await using TestServer server = await TestServer.StartAsync();
        using HttpResponseMessage refused = await http.GetAsync(
            new Uri(server.Rest.Url + "/metrics"),
            TestContext.Current.CancellationToken
        );
        Assert.Equal(401, (int)refused.StatusCode);
        Assert.DoesNotContain(
            "holdfast_",
            await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal
        );
    }

    /// <summary>Prometheus's own tool has nothing to say against it: neither the format nor the names.</summary>
    private static async Task CheckAsync(TestServer server, string page)
    {
        string promtool = Outsiders.Require("promtool");
        await File.WriteAllTextAsync(server.PathOf("metrics"), page, TestContext.Current.CancellationToken);
        await using OutsideProcess check = OutsideProcess.Start(server.Folder, ["sh", "-c", $"{promtool} check metrics <metrics"]);
        await check.MustSucceedAsync();
    }

    private static async Task<string> ScrapeAsync(TestServer server) => (await server.Rest.GetAsync("/metrics")).Must(200).Text;

    private static double Value(string page, string series) =>
        page.Split('\n').FirstOrDefault(l => l.StartsWith(series + " ", StringComparison.Ordinal)) is { } line
            ? double.Parse(line[(series.Length + 1)..], CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"There is no {series} in:\n{page}");
}
