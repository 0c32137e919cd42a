using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Holdfast.Engine;
using Holdfast.Server.Hosting;
using Holdfast.Server.Rest;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Holdfast.Tests.Rest;

/// <summary>
/// The gate before the REST door, asked over a real socket: the door has no engine, so what gets through to a route that needs one is told
/// to come again.
/// </summary>
public sealed class GateTests : IAsyncLifetime
{
    private const string Token = "0123456789abcdef";
    private readonly EngineDoor _door = new() { IsReady = true };
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false });
    private WebApplication _app = null!;
    private Uri _address = null!;

    public async ValueTask InitializeAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.Limits.MaxRequestBodySize = 1000;
                kestrel.Listen(IPAddress.Loopback, 0);
            });
        builder.Services.AddRoutingCore();
        _app = builder.Build();
        _app.Use(new Gate(Token, "127.0.0.1", _door, NullLogger<Gate>.Instance).Wrap);
        _app.UseRouting();
        RestDoor.Map(_app, _door);
        _app.MapGet("/mistake", (RequestDelegate)(_ => throw new InvalidOperationException("secret")));
        await _app.StartAsync(TestContext.Current.CancellationToken);
        _address = new Uri(_app.Urls.First());
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
    }

    [Theory]
    [InlineData("localhost", 200)]
    [InlineData("127.0.0.1", 200)]
    [InlineData("[::1]", 200)]
    [InlineData("evil.example", 403)]
    [InlineData("localhost.evil.example", 403)]
    [InlineData("192.168.0.7", 403)]
    public async Task A_host_that_is_not_ours_is_refused_even_with_the_token(string host, int status)
    {
        using HttpResponseMessage answer = await SendAsync("/v1/openapi.json", r => r.Headers.Host = $"{host}:{_address.Port}");
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(status == 200 ? null : ErrorCodes.HostNotAllowed, await CodeAsync(answer));
    }

    [Fact]
    public async Task The_host_is_checked_for_health_too()
    {
        using HttpResponseMessage answer = await SendAsync("/healthz", r => r.Headers.Host = "evil.example");
        Assert.Equal(ErrorCodes.HostNotAllowed, await CodeAsync(answer));
    }

    [Theory]
    [InlineData("http://localhost:{port}", true)]
    [InlineData("http://127.0.0.1:{port}", true)]
    [InlineData("http://localhost:1", false)]
    [InlineData("https://evil.example", false)]
    [InlineData("null", false)]
    public async Task A_page_of_another_origin_is_refused(string origin, bool isAllowed)
    {
        string text = origin.Replace("{port}", _address.Port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        using HttpResponseMessage answer = await SendAsync("/v1/openapi.json", r => r.Headers.TryAddWithoutValidation("Origin", text));
        Assert.Equal(isAllowed ? null : ErrorCodes.OriginNotAllowed, await CodeAsync(answer));
    }

    [Theory]
    [InlineData("Bearer " + Token, null, true)]
    [InlineData("bearer   " + Token, null, true)]
    [InlineData("token " + Token, null, true)]
    [InlineData(null, Token, true)]
    [InlineData(null, null, false)]
    [InlineData("Bearer", null, false)]
    [InlineData("Bearer " + Token + "0", null, false)]
    [InlineData("Bearer 0123456789abcdeF", null, false)]
    [InlineData("Basic " + Token, null, false)]
    [InlineData(Token, null, false)]
    [InlineData(null, "", false)]
    [InlineData("Bearer wrong", Token, true)]
    [InlineData("Bearer " + Token, "wrong", false)]
    public async Task The_token_is_asked_for(string? header, string? query, bool isAllowed)
    {
        using HttpResponseMessage answer = await SendAsync(
            "/v1/openapi.json" + (query is null ? "" : $"?token={query}"),
            r =>
            {
                r.Headers.Authorization = null;
                if (header is not null)
                {
                    r.Headers.TryAddWithoutValidation("Authorization", header);
                }
            }
        );
        Assert.Equal(isAllowed ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal(isAllowed ? null : ErrorCodes.Unauthorized, await CodeAsync(answer));
        Assert.Equal(!isAllowed, answer.Headers.WwwAuthenticate.Contains(new AuthenticationHeaderValue("Bearer")));
    }

    [Fact]
    public async Task A_token_of_any_length_is_refused_and_not_a_mistake()
    {
        using HttpResponseMessage answer = await SendAsync(
            "/v1/openapi.json",
            r => r.Headers.Authorization = new("Bearer", new string('x', 20_000))
        );
        Assert.Equal(ErrorCodes.Unauthorized, await CodeAsync(answer));
    }

    [Theory]
    [InlineData("/healthz", "ok")]
    [InlineData("/readyz", "ready")]
    public async Task Health_needs_no_token(string path, string status)
    {
        using HttpResponseMessage answer = await SendAsync(path, r => r.Headers.Authorization = null);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(status, (string?)(await JsonAsync(answer))["status"]);
    }

    [Fact]
    public async Task A_server_that_has_not_recovered_says_so_and_when_to_come_again()
    {
        var context = new DefaultHttpContext();
        context.Request.Host = new HostString("localhost");
        context.Request.Path = "/v1/executions";
        context.Request.Headers.Authorization = "Bearer " + Token;

        await new Gate(Token, "127.0.0.1", new EngineDoor(), NullLogger<Gate>.Instance).Wrap(_ =>
            throw new InvalidOperationException("Let through.")
        )(context);

        Assert.Equal(StatusCodes.Status503ServiceUnavailable, context.Response.StatusCode);
        Assert.Equal("1", context.Response.Headers.RetryAfter);
    }

    [Fact]
    public async Task A_server_whose_store_is_not_open_yet_says_so_and_when_to_come_again()
    {
        using HttpResponseMessage answer = await SendAsync("/v1/recovery", _ => { });
        await ExpectPassingAsync(answer, ErrorCodes.Recovering);
    }

    [Theory]
    [InlineData("/v1/feed")]
    [InlineData("/v1/recovery")]
    public async Task What_leaves_nothing_out_is_open_while_the_server_recovers(string path)
    {
        var context = new DefaultHttpContext();
        context.Request.Host = new HostString("localhost");
        context.Request.Path = path;
        context.Request.Headers.Authorization = "Bearer " + Token;
        bool isThrough = false;

        await new Gate(Token, "127.0.0.1", new EngineDoor(), NullLogger<Gate>.Instance).Wrap(_ =>
        {
            isThrough = true;
            return Task.CompletedTask;
        })(context);

        Assert.True(isThrough);
    }

    [Fact]
    public async Task A_server_that_stops_says_so_and_when_to_come_again()
    {
        _door.IsReady = false;
        using HttpResponseMessage answer = await SendAsync("/v1/executions", _ => { });
        await ExpectPassingAsync(answer, ErrorCodes.ServerStopping);
        using HttpResponseMessage ready = await SendAsync("/readyz", _ => { });
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.NotNull(ready.Headers.RetryAfter);
    }

    [Theory]
    [InlineData("/v1/nothing")]
    [InlineData("/")]
    [InlineData("/v1/executions/a/b/c")]
    public async Task An_unknown_path_is_named(string path)
    {
        using HttpResponseMessage answer = await SendAsync(path, _ => { });
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        JsonNode problem = await JsonAsync(answer);
        Assert.Equal(ErrorCodes.RouteNotFound, (string?)problem["code"]);
        Assert.Contains($"GET {path}.", (string?)problem["detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_known_path_with_another_method_names_those_it_takes()
    {
        using HttpResponseMessage answer = await SendAsync("/v1/jobs", r => r.Method = HttpMethod.Delete);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
        Assert.Equal(["POST"], answer.Content.Headers.Allow);
        JsonNode problem = await JsonAsync(answer);
        Assert.Equal(ErrorCodes.MethodNotAllowed, (string?)problem["code"]);
        Assert.Contains("it takes POST", (string?)problem["detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_past_the_bound_is_refused()
    {
        using HttpResponseMessage answer = await SendAsync(
            "/v1/jobs",
            r =>
            {
                r.Method = HttpMethod.Post;
                r.Content = new ByteArrayContent(new byte[2000]);
            }
        );
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Equal(ErrorCodes.BodyTooLarge, await CodeAsync(answer));
    }

    [Fact]
    public async Task A_mistake_of_the_server_is_told_by_its_trace_id_alone()
    {
        using HttpResponseMessage answer = await SendAsync("/mistake", _ => { });
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        JsonNode problem = await JsonAsync(answer);
        Assert.Equal(ErrorCodes.InternalError, (string?)problem["code"]);
        Assert.NotEmpty((string)problem["traceId"]!);
        Assert.DoesNotContain("secret", problem.ToJsonString(), StringComparison.Ordinal);
    }

    private static async Task ExpectPassingAsync(HttpResponseMessage answer, string code)
    {
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter?.Delta);
        Assert.Equal(code, await CodeAsync(answer));
    }

    private async Task<HttpResponseMessage> SendAsync(string path, Action<HttpRequestMessage> change)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_address, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        change(request);
        return await _client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static async Task<JsonNode> JsonAsync(HttpResponseMessage answer) =>
        JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;

    /// <summary>The code of a problem; null of what is none.</summary>
    private static async Task<string?> CodeAsync(HttpResponseMessage answer) =>
        answer.Content.Headers.ContentType?.MediaType == "application/problem+json" ? (string?)(await JsonAsync(answer))["code"] : null;
}
