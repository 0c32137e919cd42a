using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Telemetry;

/// <summary>Traces and logs as a collector receives them, and the log as JSON.</summary>
public sealed class TelemetryTests
{
    private const string TraceId = "0af7651916cd43dd8448eb211c80319c";
    private const string CallerSpan = "b7ad6b7169203331";

    [Fact]
    public async Task One_trace_leads_from_the_caller_through_the_door_to_the_jobs_exit_also_over_kill_9()
    {
        using var collector = new Collector(refusals: 1);
        await using TestServer server = await TestServer.StartAsync(
            new TestServerOptions { Environment = { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url } }
        );
        string gate = server.PathOf("gate");
        string quick = await SubmitAsync(server, "echo $TRACEPARENT; exit 3");
        string slow = await SubmitAsync(server, $"while [ ! -e '{gate}' ]; do sleep 0.02; done");
        Assert.Equal("failed", (await server.Rest.WaitAsync(quick)).State);
        await server.Rest.WaitForStateAsync(slow, "running");

        SentSpan door = await FindAsync(collector, s => s.TraceId == TraceId && s.ParentSpanId == CallerSpan);
        Assert.Equal("POST /v1/jobs", door.Name);
        SentSpan job = await FindAsync(collector, s => s.Name == "job" && Attribute(s, "holdfast.execution.id") == quick);
        Assert.Equal(TraceId, job.TraceId);
        _ = await FindAsync(collector, s => s.SpanId == job.ParentSpanId && s.Name == "POST /v1/jobs");
        Assert.Equal("3", Attribute(job, "process.exit.code"));
        Assert.Equal(2, job.Json.GetProperty("status").GetProperty("code").GetInt32());
        _ = await FindAsync(collector, s => s.Name == "run" && s.ParentSpanId == job.SpanId);
        Assert.Equal($"00-{TraceId}-{job.ParentSpanId}-01\n", await server.Rest.OutputTextAsync(quick));

        await server.KillAsync();
        await server.StartAgainAsync();
        File.WriteAllText(gate, "");
        Assert.Equal("succeeded", (await server.Rest.WaitAsync(slow)).State);
        SentSpan late = await FindAsync(collector, s => s.Name == "job" && Attribute(s, "holdfast.execution.id") == slow);
        Assert.Equal(TraceId, late.TraceId);

        await Patience.UntilAsync(() => collector.LogRecords.Count > 0, "a log record came");
        Assert.DoesNotContain(collector.Spans, s => s.Json.GetRawText().Contains(server.Rest.Token, StringComparison.Ordinal));
    }

    [Fact]
    public async Task One_trace_leads_from_the_caller_to_each_cells_end()
    {
        using var collector = new Collector();
        await using TestServer server = await TestServer.StartAsync(
            new TestServerOptions { Environment = { ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = collector.Url + "/v1/traces" } }
        );
        string path = Path.Combine(server.Root, "n.ipynb");
        await File.WriteAllTextAsync(
            path,
            """{"cells":[{"cell_type":"code","id":"a","metadata":{},"outputs":[],"execution_count":null,"source":["1 + 1"]},{"cell_type":"code","id":"b","metadata":{},"outputs":[],"execution_count":null,"source":["1 / 0"]}],"metadata":{"kernelspec":{"name":"python3","display_name":"Python 3"}},"nbformat":4,"nbformat_minor":5}""",
            TestContext.Current.CancellationToken
        );
        _ = await PostAsync(server, "/v1/notebooks/run", new JsonObject { ["path"] = path });

        SentSpan good = await FindAsync(collector, s => s.Name == "cell" && Attribute(s, "holdfast.cell.id") == "a");
        SentSpan bad = await FindAsync(collector, s => s.Name == "cell" && Attribute(s, "holdfast.cell.id") == "b");
        SentSpan door = await FindAsync(collector, s => s.SpanId == good.ParentSpanId);
        Assert.Equal(("POST /v1/notebooks/run", CallerSpan), (door.Name, door.ParentSpanId));
        Assert.All([good, bad], span => Assert.Equal((TraceId, door.SpanId), (span.TraceId, span.ParentSpanId)));
        Assert.Equal(
            (1, 2),
            (good.Json.GetProperty("status").GetProperty("code").GetInt32(), bad.Json.GetProperty("status").GetProperty("code").GetInt32())
        );
        Assert.Empty(collector.LogRecords);
    }

    [Fact]
    public async Task The_log_is_a_JSON_object_a_line_where_that_is_asked_for()
    {
        await using TestServer server = await TestServer.StartAsync(new TestServerOptions { Arguments = ["--log-format", "json"] });
        Assert.Equal(0, await server.StopAsync());

        string[] lines = server.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.NotEmpty(lines);
        Assert.All(lines, static line => Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(line).RootElement.ValueKind));
        Assert.Contains(lines, l => l.Contains(server.Rest.Url, StringComparison.Ordinal));
    }

    private static async Task<string> SubmitAsync(TestServer server, string script) =>
        (await PostAsync(server, "/v1/jobs", new JsonObject { ["argv"] = new JsonArray("sh", "-c", script) }))
            .GetProperty("id")
            .GetString()!;

    /// <summary>As a caller does who is traced. The token goes in the query, where it is to be left out of what is told.</summary>
    private static async Task<JsonElement> PostAsync(TestServer server, string path, JsonObject body)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{server.Rest.Url}{path}?token={server.Rest.Token}")
        {
            Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"),
            Headers = { { "traceparent", $"00-{TraceId}-{CallerSpan}-01" } },
        };
        using HttpResponseMessage response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(201, (int)response.StatusCode);
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement;
    }

    private static async Task<SentSpan> FindAsync(Collector collector, Func<SentSpan, bool> isIt)
    {
        SentSpan? found = null;
        await Patience.UntilAsync(() => (found = collector.Spans.Find(s => isIt(s))) is not null, "the span was received");
        return found!;
    }

    private static string? Attribute(SentSpan span, string key)
    {
        foreach (JsonElement one in span.Json.GetProperty("attributes").EnumerateArray())
        {
            if (one.GetProperty("key").GetString() == key)
            {
                JsonElement value = one.GetProperty("value");
                return value.TryGetProperty("stringValue", out JsonElement text) ? text.GetString()
                    : value.TryGetProperty("intValue", out JsonElement number) ? number.GetString()
                    : value.GetRawText();
            }
        }

        return null;
    }
}
