using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Holdfast.Engine;
using Holdfast.Server.Hosting;
using Holdfast.Server.Jupyter;
using Holdfast.Server.Rest;
using Holdfast.Tests.Fakes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Holdfast.Tests.Jupyter.Door;

/// <summary>
/// Who is let in at the Jupyter door, and how: by header, query, cookie and path. /api/kernelspecs and /api/me need no engine, so they
/// stand for all routes.
/// </summary>
public sealed class JupyterAccessTests : IAsyncLifetime
{
    private const string Token = "0123456789abcdef";
    private const string Stranger = "https://evil.example";
    private const string Friend = "https://friend.example";
    private readonly FakeClock _clock = new();
    private readonly EngineDoor _door = new() { IsReady = true };
    private readonly HttpClient _client = new(
        new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
        }
    );
    private WebApplication _app = null!;
    private Uri _address = null!;

    public async ValueTask InitializeAsync()
    {
        _app = await ServeAsync(_door);
        _address = new Uri(_app.Urls.First());
    }

    private async Task<WebApplication> ServeAsync(EngineDoor door)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRoutingCore();
        WebApplication app = builder.Build();
        app.Use(new Gate(Token, "127.0.0.1", [Friend], door, _clock, NullLogger<Gate>.Instance).Wrap);
        app.UseRouting();
        RestDoor.Map(app, door);
        JupyterDoor.Map(app, door);
        app.MapPatch(
            "/api/changed",
            (RequestDelegate)(context => context.Response.WriteAsync(context.Request.PathBase + "|" + context.Request.Path))
        );
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
    }

    [Fact]
    public async Task The_version_is_told_to_anybody()
    {
        using HttpResponseMessage answer = await SendAsync("/api");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.NotNull((await JsonAsync(answer))["version"]);
    }

    [Theory]
    [InlineData("token " + Token, null, 200)]
    [InlineData("Token " + Token, null, 200)]
    [InlineData("BEARER  " + Token, null, 200)]
    [InlineData("Bearer wrong", Token, 200)]
    [InlineData("Bearer " + Token, "wrong", 403)]
    [InlineData("Bearer " + Token, "", 200)]
    [InlineData("Basic " + Token, null, 403)]
    [InlineData(Token, null, 403)]
    [InlineData(null, Token, 200)]
    [InlineData(null, null, 403)]
    public async Task The_query_s_token_wins_over_the_header_s(string? header, string? query, int status)
    {
        using HttpResponseMessage answer = await SendAsync(
            "/api/me?1732000000" + (query is null ? "" : "&token=" + query),
            r => Add(r, "Authorization", header)
        );
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(status == 200 ? null : ErrorCodes.Unauthorized, (string?)(await JsonAsync(answer))["reason"]);
    }

    [Fact]
    public async Task A_good_token_is_answered_with_a_login_that_goes_on_without_it()
    {
        using HttpResponseMessage first = await SendAsync("/api/me?token=" + Token);
        string cookie = CookieOf(first, LoginName);
        Assert.Contains(
            SetCookies(first),
            c =>
                c.StartsWith(LoginName, StringComparison.Ordinal)
                && c.Contains("httponly", StringComparison.OrdinalIgnoreCase)
                && c.Contains("samesite=lax", StringComparison.OrdinalIgnoreCase)
        );
        Assert.DoesNotContain(Token, cookie, StringComparison.Ordinal);
        using HttpResponseMessage second = await SendAsync("/api/me", r => Add(r, "Cookie", cookie));
        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        using HttpResponseMessage third = await SendAsync("/api/me?token=" + Token, r => Add(r, "Cookie", cookie));
        Assert.Empty(SetCookies(third));
    }

    [Fact]
    public async Task A_cookie_that_was_changed_or_has_expired_is_none()
    {
        string cookie = await LogInAsync();
        using HttpResponseMessage changed = await SendAsync("/api/me", r => Add(r, "Cookie", cookie.Replace('1', '2').Replace('a', 'b')));
        Assert.Equal(HttpStatusCode.Forbidden, changed.StatusCode);
        _clock.Turn(TimeSpan.FromDays(31));
        using HttpResponseMessage expired = await SendAsync("/api/me", r => Add(r, "Cookie", cookie));
        Assert.Equal(HttpStatusCode.Forbidden, expired.StatusCode);
    }

    [Theory]
    [InlineData("header", 200)]
    [InlineData("query", 200)]
    [InlineData("form", 200)]
    [InlineData("none", 403)]
    [InlineData("other", 403)]
    [InlineData("uncooked", 403)]
    public async Task A_cookie_changes_nothing_without_its_xsrf(string how, int status)
    {
        string login = await LogInAsync();
        string xsrf = await XsrfAsync();
        using HttpResponseMessage answer = await SendAsync(
            "/api/changed" + (how == "query" ? "?_xsrf=" + xsrf : ""),
            r =>
            {
                r.Method = HttpMethod.Patch;
                Add(r, "Cookie", how == "uncooked" ? login : $"_xsrf={xsrf}; {login}");
                Add(
                    r,
                    "X-XSRFToken",
                    how is "header" or "uncooked" ? xsrf
                        : how == "other" ? "0.0"
                        : null
                );
                r.Content = how == "form" ? new FormUrlEncodedContent([new("_xsrf", xsrf)]) : null;
            }
        );
        Assert.Equal(status, (int)answer.StatusCode);
        if (status == 403)
        {
            Assert.Equal(ErrorCodes.XsrfCheckFailed, (string?)(await JsonAsync(answer))["reason"]);
        }
    }

    [Fact]
    public async Task An_xsrf_that_a_stranger_planted_is_refused()
    {
        string login = await LogInAsync();
        using HttpResponseMessage answer = await SendAsync(
            "/api/changed",
            r =>
            {
                r.Method = HttpMethod.Patch;
                Add(r, "Cookie", $"_xsrf=planted; {login}");
                Add(r, "X-XSRFToken", "planted");
            }
        );
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Theory]
    [InlineData("token", Stranger, "PATCH", 200)]
    [InlineData("token", Stranger, "GET", 200)]
    [InlineData("cookie", Stranger, "GET", 403)]
    [InlineData("cookie", Stranger, "PATCH", 403)]
    [InlineData("cookie", "self", "PATCH", 200)]
    [InlineData("cookie", "http://localhost:{port}", "PATCH", 403)]
    [InlineData("cookie", Friend, "PATCH", 200)]
    [InlineData("nobody", Stranger, "GET", 403)]
    public async Task A_stranger_s_page_needs_the_token_itself(string who, string origin, string method, int status)
    {
        string xsrf = await XsrfAsync();
        string login = await LogInAsync();
        using HttpResponseMessage answer = await SendAsync(
            method == "GET" ? "/api/me" : "/api/changed",
            r =>
            {
                r.Method = new HttpMethod(method);
                Add(
                    r,
                    "Origin",
                    origin == "self"
                        ? _address.GetLeftPart(UriPartial.Authority)
                        : origin.Replace("{port}", $"{_address.Port}", StringComparison.Ordinal)
                );
                Add(r, "Authorization", who == "token" ? "token " + Token : null);
                Add(r, "Cookie", who == "cookie" ? $"_xsrf={xsrf}; {login}" : null);
                Add(r, "X-XSRFToken", who == "cookie" ? xsrf : null);
            }
        );
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(status == 200 && origin is Stranger or Friend, answer.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Theory]
    [InlineData("/api/kernels", Friend, "content-type", 204)]
    [InlineData("/api/kernels", Stranger, "authorization,content-type", 204)]
    [InlineData("/api/kernels", Stranger, "x-xsrftoken", 403)]
    [InlineData("/v1/jobs", Stranger, "authorization", 403)]
    [InlineData("/v1/jobs", Friend, "authorization", 204)]
    public async Task A_browser_s_preflight_is_answered(string path, string origin, string asked, int status)
    {
        using HttpResponseMessage answer = await SendAsync(
            path,
            r =>
            {
                r.Method = HttpMethod.Options;
                Add(r, "Origin", origin);
                Add(r, "Access-Control-Request-Method", "POST");
                Add(r, "Access-Control-Request-Headers", asked);
            }
        );
        Assert.Equal(status, (int)answer.StatusCode);
        if (status == 204)
        {
            Assert.Equal(origin, answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
            Assert.Equal(
                "accept, content-type, authorization, x-xsrftoken",
                answer.Headers.GetValues("Access-Control-Allow-Headers").Single()
            );
            Assert.Contains("DELETE", answer.Headers.GetValues("Access-Control-Allow-Methods").Single(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_error_that_a_friend_s_page_caused_can_be_read_by_it()
    {
        using HttpResponseMessage answer = await SendAsync(
            "/api/none",
            r =>
            {
                Add(r, "Origin", Friend);
                Add(r, "Authorization", "token " + Token);
            }
        );
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.True(answer.Headers.Contains("Access-Control-Allow-Origin"));
    }

    /// <summary>
    /// Whatever a browser finds in a kernel's or a file's name, an answer is no page of ours; and an older answer is not shown for a new
    /// one.
    /// </summary>
    [Theory]
    [InlineData("/api/me")]
    [InlineData("/api/kernels")]
    public async Task An_answer_is_neither_a_page_nor_kept(string path)
    {
        // The second is an error: there is no engine here.
        using HttpResponseMessage answer = await SendAsync(path, r => Add(r, "Authorization", "token " + Token));
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("default-src 'none'; frame-ancestors 'self'", answer.Headers.GetValues("Content-Security-Policy").Single());
        Assert.Equal("no-cache", answer.Headers.CacheControl!.ToString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_socket_s_handshake_waits_for_recovery_and_not_for_ever(bool recovers)
    {
        var door = new EngineDoor();
        await using WebApplication app = await ServeAsync(door);
        Task timer = _clock.TimerSetAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, app.Urls.First() + "/api/kernels/x/channels?token=" + Token)
        {
            Headers = { { "Connection", "Upgrade" }, { "Upgrade", "websocket" } },
        };
        Task<HttpResponseMessage> asking = _client.SendAsync(request, TestContext.Current.CancellationToken);
        await timer;
        Assert.False(asking.IsCompleted);
        if (recovers)
        {
            door.IsReady = true;
        }
        else
        {
            _clock.Turn(TimeSpan.FromSeconds(10));
        }

        using HttpResponseMessage answer = await asking;
        Assert.Equal(recovers ? HttpStatusCode.NotFound : HttpStatusCode.ServiceUnavailable, answer.StatusCode); // There is no such kernel.
        Assert.Equal(!recovers, answer.Headers.RetryAfter is not null);
    }

    [Fact]
    public async Task Whoever_asks_what_a_path_takes_is_told()
    {
        using HttpResponseMessage answer = await SendAsync(
            "/api/kernels",
            r =>
            {
                r.Method = HttpMethod.Options;
                Add(r, "Authorization", "token " + Token);
            }
        );
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal(["GET", "POST"], answer.Content.Headers.Allow.Order());
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/tree/a/b.ipynb")]
    public async Task People_who_are_let_in_are_told_so(string path)
    {
        using HttpResponseMessage answer = await SendAsync(path + "?token=" + Token);
        Assert.Equal((HttpStatusCode.OK, "text/html"), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/tree?")]
    [InlineData("/tree/a/b.ipynb")]
    [InlineData("/lab")]
    public async Task People_are_led_to_the_login(string path)
    {
        using HttpResponseMessage answer = await SendAsync(path);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.StartsWith("/login?next=%2F", answer.Headers.Location!.OriginalString, StringComparison.Ordinal);
    }

    /// <summary>
    /// The requests of VS Code's jupyterPasswordConnect, for an address without a token: each is judged by its status, and cookies are sent
    /// back as whole lines.
    /// </summary>
    [Fact]
    public async Task VS_Code_logs_in_with_the_token_as_its_password()
    {
        using HttpResponseMessage hub = await SendAsync("/hub/api");
        Assert.NotEqual(HttpStatusCode.OK, hub.StatusCode);
        using HttpResponseMessage tree = await SendAsync("/tree?");
        Assert.Equal(HttpStatusCode.Redirect, tree.StatusCode);
        using HttpResponseMessage form = await SendAsync("/login?");
        Assert.Equal(HttpStatusCode.OK, form.StatusCode);
        string xsrf = SetCookies(form).Single(c => c.StartsWith("_xsrf=", StringComparison.Ordinal))["_xsrf=".Length..].Split(';')[0];
        using HttpResponseMessage login = await SendAsync(
            "/login?",
            r =>
            {
                r.Method = HttpMethod.Post;
                Add(r, "Cookie", "_xsrf=" + xsrf);
                r.Content = new FormUrlEncodedContent([new("_xsrf", xsrf), new("password", Token)]);
            }
        );
        Assert.Equal(HttpStatusCode.Redirect, login.StatusCode);
        string line = SetCookies(login)[0];
        string name = line[..line.IndexOf('=', StringComparison.Ordinal)];
        using HttpResponseMessage used = await SendAsync(
            "/api/changed",
            r =>
            {
                r.Method = HttpMethod.Patch;
                Add(r, "Cookie", $"_xsrf={xsrf}; {name}={line[(name.Length + 1)..]}");
                Add(r, "X-XSRFToken", xsrf);
            }
        );
        Assert.Equal(HttpStatusCode.OK, used.StatusCode);
        using HttpResponseMessage again = await SendAsync("/tree?", r => Add(r, "Cookie", line));
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Theory]
    [InlineData("wrong", true, 401)]
    [InlineData("", true, 401)]
    [InlineData(Token, false, 403)]
    public async Task A_login_needs_the_token_and_the_form_s_xsrf(string password, bool withXsrf, int status)
    {
        string xsrf = await XsrfAsync();
        using HttpResponseMessage login = await SendAsync(
            "/login",
            r =>
            {
                r.Method = HttpMethod.Post;
                Add(r, "Cookie", "_xsrf=" + xsrf);
                r.Content = new FormUrlEncodedContent([new("_xsrf", withXsrf ? xsrf : ""), new("password", password)]);
            }
        );
        Assert.Equal(status, (int)login.StatusCode);
        Assert.DoesNotContain(SetCookies(login), c => c.StartsWith("username-", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/lab/x", "/lab/x")]
    [InlineData("//evil.example/", "/tree")]
    [InlineData("https://evil.example/", "/tree")]
    [InlineData("/\\evil.example", "/tree")]
    public async Task A_login_leads_to_a_path_of_ours(string next, string expected)
    {
        using HttpResponseMessage login = await SendAsync(
            "/login?token=" + Token + "&next=" + Uri.EscapeDataString(next),
            r => r.Method = HttpMethod.Post
        );
        Assert.Equal(expected, login.Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task A_logout_takes_the_cookie_away()
    {
        string login = await LogInAsync();
        using HttpResponseMessage answer = await SendAsync("/logout", r => Add(r, "Cookie", login));
        Assert.Contains(
            SetCookies(answer),
            c => c.StartsWith(LoginName + "=;", StringComparison.Ordinal) && c.Contains("max-age=0", StringComparison.OrdinalIgnoreCase)
        );
    }

    [Fact]
    public async Task A_token_in_the_path_is_enough_and_is_taken_off_it()
    {
        using HttpResponseMessage answer = await SendAsync(
            $"/t/{Token}/api/changed",
            r =>
            {
                r.Method = HttpMethod.Patch;
                Add(r, "Origin", Stranger);
            }
        );
        Assert.Equal($"/t/{Token}|/api/changed", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        using HttpResponseMessage rest = await SendAsync($"/t/{Token}/v1/openapi.json");
        Assert.Equal(HttpStatusCode.OK, rest.StatusCode);
        using HttpResponseMessage root = await SendAsync($"/t/{Token}/v1/nothing");
        Assert.Equal(HttpStatusCode.NotFound, root.StatusCode);
        Assert.DoesNotContain(Token, await root.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/t/wrong/api/me")]
    [InlineData("/t//api/me")]
    [InlineData("/t/0123456789abcde/api")]
    [InlineData("/t/0123456789abcdef0/api")]
    public async Task A_wrong_token_in_the_path_is_refused_and_not_repeated(string path)
    {
        using HttpResponseMessage answer = await SendAsync(path, r => Add(r, "Authorization", "token " + Token));
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        string said = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
        JsonNode error = JsonNode.Parse(said)!;
        Assert.Equal(ErrorCodes.PrefixNotAllowed, (string?)error["reason"]);
        Assert.NotNull((string?)error["message"]);
        Assert.DoesNotContain("0123456789", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/kernels")]
    [InlineData("/api/kernels/0b9d1c58-5a5c-4d0e-9c3f-6f1f2b7f3a10")]
    [InlineData("/api/sessions")]
    [InlineData("/api/contents/a.ipynb")]
    [InlineData("/t/" + Token + "/api/kernels")]
    public async Task While_the_server_recovers_nothing_is_told_that_could_be_short(string path)
    {
        _door.IsReady = false;
        using HttpResponseMessage answer = await SendAsync(path, r => Add(r, "Authorization", "token " + Token));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter?.Delta);
        Assert.NotEmpty((string)(await JsonAsync(answer))["message"]!);
    }

    private string LoginName => $"username-127-0-0-1-{_address.Port}";

    private async Task<string> LogInAsync()
    {
        using HttpResponseMessage answer = await SendAsync("/api/me?token=" + Token);
        return CookieOf(answer, LoginName);
    }

    private async Task<string> XsrfAsync()
    {
        using HttpResponseMessage answer = await SendAsync("/login");
        return CookieOf(answer, "_xsrf")["_xsrf=".Length..];
    }

    private static string CookieOf(HttpResponseMessage answer, string name) =>
        SetCookies(answer).Single(c => c.StartsWith(name + "=", StringComparison.Ordinal)).Split(';')[0];

    private static string[] SetCookies(HttpResponseMessage answer) =>
        answer.Headers.TryGetValues("Set-Cookie", out IEnumerable<string>? values) ? [.. values] : [];

    private static void Add(HttpRequestMessage request, string name, string? value)
    {
        if (value is not null)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(string path, Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_address, path));
        change?.Invoke(request);
        return await _client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static async Task<JsonNode> JsonAsync(HttpResponseMessage answer) =>
        JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
}
