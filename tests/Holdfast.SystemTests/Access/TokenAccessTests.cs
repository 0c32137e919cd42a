using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text.Json;
using Holdfast.SystemTests.Cli;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Access;

/// <summary>Tokens on a real server: what each scope opens, what revocation cuts, and what is on record.</summary>
public sealed class TokenAccessTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private readonly TestServer _server = shared.Server;
    private readonly RestClient _rest = shared.Server.Rest;

    [Fact]
    public async Task Each_scope_opens_its_own_doors_and_no_other()
    {
        string reader = await CreateAsync("reader", "read");
        string runner = await CreateAsync("runner", "run");
        string chief = await CreateAsync("chief", "manage");
        const string job = """{"argv":["true"]}""";
        (string Method, string Path, string? Body, string Scope)[] asked =
        [
            ("GET", "/v1/executions", null, "read"),
            ("GET", "/api/kernels", null, "read"),
            ("GET", "/api/contents", null, "read"),
            ("GET", "/v1/locks", null, "read"),
            ("POST", "/v1/jobs", job, "run"),
            ("PUT", "/api/config/x", "{}", "run"),
            ("POST", "/api/terminals", "{}", "run"),
            ("GET", "/api/kernels/x/channels", null, "run"),
            ("GET", "/v1/tokens", null, "manage"),
            ("GET", "/v1/audit", null, "manage"),
            ("POST", "/v1/locks/release", """{"name":"x","reason":"y"}""", "manage"),
        ];
        foreach ((string method, string path, string? body, string scope) in asked)
        {
            foreach ((string name, string token) in new[] { ("read", reader), ("run", runner), ("manage", chief) })
            {
                RestReply reply = await AsAsync(token, method, path, body);
                bool isRefused =
                    reply.Status == 403
                    && (reply.Code ?? (reply.Json.TryGetProperty("reason", out JsonElement reason) ? reason.GetString() : null))
                        == "forbidden-scope";
                Assert.True(isRefused == (name != scope), $"{name} {method} {path}: {reply.Status} {reply.Text}");
            }
        }

        RestReply me = (
            await AsAsync(reader, "GET", """/api/me?permissions={"contents":["read","write"],"kernels":["execute"]}""", null)
        ).Must(200);
        Assert.Equal("reader", me.Json.GetProperty("identity").GetProperty("username").GetString());
        Assert.Equal("""{"contents":["read"],"kernels":[]}""", me.Json.GetProperty("permissions").GetRawText());
    }

    [Fact]
    public async Task Nobody_makes_a_token_with_more_than_he_has()
    {
        string chief = await CreateAsync("chief-2", "manage", "read");
        RestReply refused = (await AsAsync(chief, "POST", "/v1/tokens", """{"name":"more","scopes":["run"]}""")).Must(403);
        Assert.Equal("forbidden-scope", refused.Code);
        (await AsAsync(chief, "POST", "/v1/tokens", """{"name":"less","scopes":["read"]}""")).Must(201);
        Assert.Equal(
            "token-name-taken",
            (await AsAsync(chief, "POST", "/v1/tokens", """{"name":"less","scopes":["read"]}""")).Must(409).Code
        );
        (await _rest.PostAsync("/v1/tokens", """{"name":"x","scopes":[]}""")).Must(400);
        (await _rest.PostAsync("/v1/tokens", """{"name":"x","scopes":["read"],"expiresInSeconds":0}""")).Must(400);
    }

    [Fact]
    public async Task Revocation_cuts_streams_and_sockets_that_are_open()
    {
        string token = await CreateAsync("guest", "read", "run");
        string terminal = (await AsAsync(token, "POST", "/api/terminals", "{}")).Must(200).Json.GetProperty("name").GetString()!;
        using var socket = new ClientWebSocket();
        await socket
            .ConnectAsync(
                new UriBuilder(_rest.Url)
                {
                    Scheme = "ws",
                    Path = "/terminals/websocket/" + terminal,
                    Query = "token=" + token,
                }.Uri,
                TestContext.Current.CancellationToken
            )
            .WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
        string kernel = (await AsAsync(token, "POST", "/api/kernels", "{}")).Must(201).Json.GetProperty("id").GetString()!;
        using var channels = new ClientWebSocket();
        await channels
            .ConnectAsync(
                new UriBuilder(_rest.Url) { Scheme = "ws", Path = $"/t/{token}/api/kernels/{kernel}/channels" }.Uri,
                TestContext.Current.CancellationToken
            )
            .WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
        using var client = new HttpClient { BaseAddress = new Uri(_rest.Url), Timeout = Patience.Limit };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using HttpResponseMessage feed = await client.GetAsync(
            new Uri("/v1/feed?after=latest", UriKind.Relative),
            HttpCompletionOption.ResponseHeadersRead,
            TestContext.Current.CancellationToken
        );
        Task reading = ReadToEndAsync(feed);
        Task receiving = ReceiveToEndAsync(socket);
        Task listening = ReceiveToEndAsync(channels);
        Assert.False(reading.IsCompleted || receiving.IsCompleted || listening.IsCompleted);

        (await _rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/v1/tokens/guest?reason=left"))).Must(200);

        await reading.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
        await receiving.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
        await listening.WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
        Assert.Equal("unauthorized", (await AsAsync(token, "GET", "/v1/executions", null)).Must(401).Code);
        Assert.Contains(
            (await _rest.GetAsync("/v1/audit?by=guest")).Must(200).Json.GetProperty("entries").EnumerateArray(),
            e =>
                e.GetProperty("operation").GetString() == "connect"
                && e.GetProperty("subject").GetString() == $"/api/kernels/{kernel}/channels"
        );
        (await _rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/api/kernels/" + kernel))).Must(204);
        (await _rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/api/terminals/" + terminal))).Must(204);
    }

    [Fact]
    public async Task Who_did_what_is_on_record()
    {
        string token = await CreateAsync("clerk", "read", "run");
        string job = (await AsAsync(token, "POST", "/v1/jobs", """{"argv":["sleep","1000"],"name":"long"}"""))
            .Must(201)
            .Json.GetProperty("id")
            .GetString()!;
        (await AsAsync(token, "POST", $"/v1/executions/{job}/cancel", null)).Must(200);
        (await AsAsync(token, "PUT", "/api/contents/noted.txt", """{"type":"file","format":"text","content":"x"}""")).Must(201);
        (await AsAsync(token, "POST", "/v1/jobs", """{"argv":[]}""")).Must(400);

        JsonElement[] entries = [];
        await Patience.UntilAsync(
            async () =>
                (entries = [.. (await _rest.GetAsync("/v1/audit?by=clerk")).Must(200).Json.GetProperty("entries").EnumerateArray()]).Length
                >= 3,
            "all was on record"
        );
        Assert.Equal(
            [("SaveContents", "noted.txt"), ("CancelExecution", job), ("SubmitJob", job)],
            entries.Select(static e => (e.GetProperty("operation").GetString()!, e.GetProperty("subject").GetString()!))
        );
        Assert.All(entries, static e => Assert.Equal("127.0.0.1", e.GetProperty("remote").GetString()));
    }

    [Fact]
    public async Task The_command_line_makes_lists_and_revokes_tokens_and_shows_the_record()
    {
        Assert.Equal(_rest.Token, await CliProcess.MustAsync(_server.Data, "token"));
        string token = await CliProcess.MustAsync(_server.Data, "tokens", "create", "from-cli", "--scope", "read", "--expires", "1h");
        Assert.StartsWith("hf_", token, StringComparison.Ordinal);
        Assert.Matches("from-cli +read +active +main +20", await CliProcess.MustAsync(_server.Data, "tokens"));
        (await AsAsync(token, "GET", "/v1/executions", null)).Must(200);
        Assert.Equal("from-cli revoked", await CliProcess.MustAsync(_server.Data, "tokens", "revoke", "from-cli", "--reason", "test"));
        (await AsAsync(token, "GET", "/v1/executions", null)).Must(401);
        Assert.Contains(
            "from-cli: test",
            await CliProcess.MustAsync(_server.Data, "audit", "--limit", "1000", "--operation", "RevokeToken"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Too_many_wrong_tokens_are_answered_429_and_the_right_one_is_let_in()
    {
        await using TestServer server = await TestServer.StartAsync();
        for (int n = 0; n < 10; n++)
        {
            (await AsAsync(server.Rest, "wrong", "GET", "/v1/executions", null)).Must(401);
        }

        RestReply limited = (await AsAsync(server.Rest, "wrong", "GET", "/v1/executions", null)).Must(429);
        Assert.Equal("too-many-failures", limited.Code);
        Assert.InRange(int.Parse(limited.Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture), 1, 60);
        (await server.Rest.GetAsync("/v1/executions")).Must(200);
        (await server.Rest.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/v1/executions"), withToken: false)).Must(401);
        (await server.Rest.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/t/wrong/api"), withToken: false)).Must(429);
    }

    [Fact]
    public async Task Tokens_outlive_a_server_that_is_killed()
    {
        await using TestServer server = await TestServer.StartAsync();
        string token = (await server.Rest.PostAsync("/v1/tokens", """{"name":"kept","scopes":["read"]}"""))
            .Must(201)
            .Json.GetProperty("token")
            .GetString()!;
        string gone = (await server.Rest.PostAsync("/v1/tokens", """{"name":"gone","scopes":["read"]}"""))
            .Must(201)
            .Json.GetProperty("token")
            .GetString()!;
        (await server.Rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/v1/tokens/gone"))).Must(200);
        await server.RestartAsync();
        (await AsAsync(server.Rest, token, "GET", "/v1/executions", null)).Must(200);
        (await AsAsync(server.Rest, gone, "GET", "/v1/executions", null)).Must(401);
    }

    private Task<string> CreateAsync(string name, params string[] scopes) => CreateAsync(_rest, name, scopes);

    private static async Task<string> CreateAsync(RestClient rest, string name, string[] scopes) =>
        (await rest.PostAsync("/v1/tokens", $$"""{"name":"{{name}}","scopes":["{{string.Join("\",\"", scopes)}}"]}"""))
            .Must(201)
            .Json.GetProperty("token")
            .GetString()!;

    private Task<RestReply> AsAsync(string token, string method, string path, string? body) => AsAsync(_rest, token, method, path, body);

    private static Task<RestReply> AsAsync(RestClient rest, string token, string method, string path, string? body)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path)
        {
            Content = body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return rest.SendAsync(request);
    }

    private static async Task ReadToEndAsync(HttpResponseMessage response)
    {
        try
        {
            await response.Content.CopyToAsync(Stream.Null);
        }
        catch (HttpRequestException)
        {
            // Cut.
        }
    }

    private static async Task ReceiveToEndAsync(ClientWebSocket socket)
    {
        byte[] buffer = new byte[4096];
        try
        {
            while ((await socket.ReceiveAsync(buffer, CancellationToken.None)).MessageType != WebSocketMessageType.Close) { }
        }
        catch (WebSocketException)
        {
            // Cut.
        }
    }
}
