using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jupyter;

/// <summary>What front ends keep with the server, events they send each other, and notebooks in other formats.</summary>
public sealed class JupyterPreferenceTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private readonly TestServer _server = shared.Server;
    private readonly RestClient _rest = shared.Server.Rest;

    [Fact]
    public async Task Configuration_settings_and_workspaces_outlive_the_server()
    {
        await using TestServer server = await TestServer.StartAsync();
        RestClient rest = server.Rest;
        Assert.Equal("{}", (await rest.GetAsync("/api/config/notebook")).Must(200).Text);
        (await SendAsync(rest, HttpMethod.Put, "/api/config/notebook", """{"a":{"x":1},"b":2}""")).Must(204);
        Assert.Equal(
            """{"a":{"x":1,"y":3}}""",
            (await SendAsync(rest, HttpMethod.Patch, "/api/config/notebook", """{"a":{"y":3},"b":null}""")).Must(200).Text
        );
        const string themes = "/lab/api/settings/@jupyterlab%2Fapputils-extension:themes";
        Assert.Equal("{}", (await rest.GetAsync(themes)).Must(200).Json.GetProperty("raw").GetString());
        (await SendAsync(rest, HttpMethod.Put, themes, """{"raw":"// mine\n{\"theme\": \"Dark\",}"}""")).Must(204);
        Assert.Equal(
            "invalid-json",
            (await SendAsync(rest, HttpMethod.Put, themes, """{"raw":"{oops"}""")).Must(400).Json.GetProperty("reason").GetString()
        );
        (
            await SendAsync(rest, HttpMethod.Put, "/lab/api/workspaces/default", """{"data":{"layout":[1]},"metadata":{"id":"default"}}""")
        ).Must(204);
        (await SendAsync(rest, HttpMethod.Put, "/lab/api/workspaces/default", """{"data":{},"metadata":{"id":"other"}}""")).Must(400);

        await server.RestartAsync();

        rest = server.Rest;
        Assert.Equal("""{"a":{"x":1,"y":3}}""", (await rest.GetAsync("/api/config/notebook?1732")).Must(200).Text);
        JsonElement setting = (await rest.GetAsync("/lab/api/settings")).Must(200).Json.GetProperty("settings").EnumerateArray().Single();
        Assert.Equal(
            ("@jupyterlab/apputils-extension:themes", "Dark"),
            (setting.GetProperty("id").GetString(), setting.GetProperty("settings").GetProperty("theme").GetString())
        );
        Assert.StartsWith("// mine", setting.GetProperty("raw").GetString(), StringComparison.Ordinal);
        JsonElement workspaces = (await rest.GetAsync("/lab/api/workspaces")).Must(200).Json.GetProperty("workspaces");
        Assert.Equal("default", workspaces.GetProperty("ids").EnumerateArray().Single().GetString());
        Assert.Equal(1, workspaces.GetProperty("values").EnumerateArray().Single().GetProperty("data").GetProperty("layout")[0].GetInt32());
        (await rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/lab/api/workspaces/default"))).Must(204);
        (await rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/lab/api/workspaces/default"))).Must(404);
    }

    [Fact]
    public async Task Events_reach_every_subscriber_and_kernels_send_theirs()
    {
        using ClientWebSocket first = await SubscribeAsync();
        using ClientWebSocket second = await SubscribeAsync();
        (await _rest.PostAsync("/api/events", """{"schema_id":"https://example.org/e/v1","version":"1","data":{"answer":42}}""")).Must(204);
        (await _rest.PostAsync("/api/events", """{"schema_id":"https://example.org/e/v1","version":"1"}""")).Must(400);
        foreach (ClientWebSocket client in new[] { first, second })
        {
            JsonElement told = await NextAsync(client, "https://example.org/e/v1");
            Assert.Equal(42, told.GetProperty("answer").GetInt32());
        }

        string kernel = (await _rest.PostAsync("/api/kernels", "{}")).Must(201).Json.GetProperty("id").GetString()!;
        JsonElement action = await NextAsync(first, "https://events.jupyter.org/jupyter_server/kernel_actions/v1");
        Assert.Equal(("start", kernel), (action.GetProperty("action").GetString(), action.GetProperty("kernel_id").GetString()));
        (await _rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/api/kernels/" + kernel))).Must(204);
    }

    [Fact]
    public async Task A_subscriber_is_told_to_come_back_when_the_server_stops()
    {
        await using TestServer server = await TestServer.StartAsync();
        using ClientWebSocket client = await SubscribeAsync(server);
        Assert.Equal(0, await server.StopAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(() => NextAsync(client, "none"));
        Assert.Equal(1012, (int)client.CloseStatus!);
    }

    [Fact]
    public async Task Notebooks_are_converted_where_nbconvert_is_installed()
    {
        JsonElement formats = (await _rest.GetAsync("/api/nbconvert")).Must(200).Json;
        if (!File.Exists("/usr/bin/jupyter-nbconvert"))
        {
            Assert.Empty(formats.EnumerateObject());
            (await _rest.GetAsync("/nbconvert/html/a.ipynb")).Must(404);
            return;
        }

        Assert.Equal("text/html", formats.GetProperty("html").GetProperty("output_mimetype").GetString());
        const string notebook =
            """{"cells":[{"cell_type":"code","execution_count":1,"metadata":{},"outputs":[],"source":"print('quite a mark')"}],"metadata":{},"nbformat":4,"nbformat_minor":4}""";
        await File.WriteAllTextAsync(Path.Combine(_server.Root, "a b.ipynb"), notebook, TestContext.Current.CancellationToken);
        Task<RestReply> page = _rest.GetAsync("/nbconvert/html/a%20b.ipynb");
        Task<RestReply> script = _rest.PostAsync("/nbconvert/script", $$"""{"content":{{notebook}}}""");
        Assert.Contains("quite a mark", (await page).Must(200).Text, StringComparison.Ordinal);
        Assert.Equal("text/html", (await page).ContentType);
        Assert.Contains("quite a mark", (await script).Must(200).Text, StringComparison.Ordinal);
        (await _rest.GetAsync("/nbconvert/html/../../etc/passwd")).Must(404);
        (await _rest.GetAsync("/nbconvert/nonsense/a%20b.ipynb")).Must(501);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_server.Data, "conversions")));
    }

    private Task<ClientWebSocket> SubscribeAsync() => SubscribeAsync(_server);

    private static async Task<ClientWebSocket> SubscribeAsync(TestServer server)
    {
        var client = new ClientWebSocket();
        var address = new UriBuilder(server.Rest.Url)
        {
            Scheme = "ws",
            Path = "/api/events/subscribe",
            Query = "token=" + server.Rest.Token,
        };
        await client.ConnectAsync(address.Uri, CancellationToken.None).WaitAsync(Patience.Limit);
        return client;
    }

    /// <summary>The next event of a schema; others, such as those of other tests' kernels, are passed over.</summary>
    private static async Task<JsonElement> NextAsync(ClientWebSocket client, string schema)
    {
        byte[] buffer = new byte[64 * 1024];
        while (true)
        {
            WebSocketReceiveResult got = await client.ReceiveAsync(buffer, CancellationToken.None).WaitAsync(Patience.Limit);
            if (got.MessageType == WebSocketMessageType.Close)
            {
                throw new InvalidOperationException("The server closed.");
            }

            using var json = JsonDocument.Parse(Encoding.UTF8.GetString(buffer, 0, got.Count));
            if (json.RootElement.GetProperty("schema_id").GetString() == schema)
            {
                return json.RootElement.Clone();
            }
        }
    }

    private static Task<RestReply> SendAsync(RestClient rest, HttpMethod method, string path, string body) =>
        rest.SendAsync(new HttpRequestMessage(method, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") });
}
