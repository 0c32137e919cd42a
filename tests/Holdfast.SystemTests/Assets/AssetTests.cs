using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Assets;

/// <summary>Assets through the REST door and the command line of the real programs.</summary>
public sealed class AssetTests
{
    [Fact]
    public async Task What_is_uploaded_is_given_back_whole_by_ranges_and_without_power()
    {
        await using TestServer server = await TestServer.StartAsync();
        byte[] page = Encoding.UTF8.GetBytes("<script>alert(1)</script>" + new string('x', 300_000));
        string hash = Convert.ToHexStringLower(SHA256.HashData(page));

        RestReply stored = await PutAsync(server, hash, page);
        Assert.Equal((201, hash), (stored.Status, stored.Json.GetProperty("sha256").GetString()));
        Assert.Equal(200, (await PutAsync(server, hash, page)).Status);
        Assert.Equal("asset-hash-mismatch", (await PutAsync(server, new string('0', 64), page)).Must(422).Code);

        RestReply whole = (await server.Rest.GetAsync($"/v1/assets/{hash}")).Must(200);
        Assert.Equal(page, whole.Body);
        Assert.Equal(
            ("text/html", "nosniff", $"\"{hash}\""),
            (whole.ContentType, whole.Header("X-Content-Type-Options"), whole.Header("ETag"))
        );
        Assert.EndsWith("; sandbox", whole.Header("Content-Security-Policy"), StringComparison.Ordinal);

        RestReply part = await SendAsync(server, hash, static request => request.Headers.Range = new RangeHeaderValue(8, 12));
        Assert.Equal((206, "alert"), (part.Status, part.Text));
        Assert.Equal(
            416,
            (await SendAsync(server, hash, request => request.Headers.Range = new RangeHeaderValue(page.Length, null))).Status
        );
        Assert.Equal(
            304,
            (await SendAsync(server, hash, request => request.Headers.TryAddWithoutValidation("If-None-Match", $"\"{hash}\""))).Status
        );
        Assert.Equal(
            (200, 0),
            (
                (await SendAsync(server, hash, static request => request.Method = HttpMethod.Head)) is var head
                    ? (head.Status, head.Body.Length)
                    : default
            )
        );
        Assert.Equal("invalid-request", (await server.Rest.GetAsync("/v1/assets/..%2Ftoken")).Must(400).Code);
        Assert.Equal("asset-not-found", (await server.Rest.GetAsync($"/v1/assets/{new string('0', 64)}")).Must(404).Code);
    }

    [Fact]
    public async Task A_quota_refuses_uploads_and_runs_and_deletes_nothing()
    {
        await using TestServer server = await TestServer.StartAsync(new TestServerOptions { Arguments = ["--asset-quota", "1K"] });
        (await server.Rest.PostAsync("/v1/assets?leaseSeconds=0", new string('a', 1024))).Must(201);

        Assert.Equal("asset-quota-exceeded", (await server.Rest.PostAsync("/v1/assets", "b")).Must(507).Code);
        Assert.Equal("asset-quota-exceeded", (await server.Rest.PostAsync("/v1/notebooks/run", """{"path": "n.ipynb"}""")).Must(507).Code);
        Assert.Equal(1, (await server.Rest.GetAsync("/v1/assets")).Must(200).Json.GetProperty("count").GetInt32());

        JsonElement pruned = (await server.Rest.PostAsync("/v1/assets/prune", """{"dryRun": false}""")).Must(200).Json;
        Assert.Equal(1024, pruned.GetProperty("deleted").GetProperty("bytes").GetInt32());
        (await server.Rest.PostAsync("/v1/assets", "b")).Must(201);
        Assert.Contains("PruneAssets", (await server.Rest.GetAsync("/v1/audit?limit=5")).Must(200).Text, StringComparison.Ordinal);
    }

    private static Task<RestReply> PutAsync(TestServer server, string hash, byte[] body)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("text/html");
        return server.Rest.SendAsync(new HttpRequestMessage(HttpMethod.Put, $"/v1/assets/{hash}") { Content = content });
    }

    private static Task<RestReply> SendAsync(TestServer server, string hash, Action<HttpRequestMessage> prepare)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/assets/{hash}");
        prepare(request);
        return server.Rest.SendAsync(request);
    }
}
