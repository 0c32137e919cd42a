using System.Net.Http.Headers;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Servers;

/// <summary>Who is let in: by token, by Host, by Origin.</summary>
public sealed class GateTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private readonly TestServer _server = shared.Server;
    private readonly RestClient _rest = shared.Server.Rest;

    private string Token => File.ReadAllText(Path.Combine(_server.Data, "token")).Trim();

    [Fact]
    public async Task Without_the_token_nothing_is_told_but_health()
    {
        Assert.Equal(200, (await AskAsync("/healthz")).Status);
        Assert.Equal(200, (await AskAsync("/readyz")).Status);
        RestReply refused = await AskAsync("/v1/executions");
        Assert.Equal((401, "unauthorized"), (refused.Status, refused.Code));
        Assert.Equal(
            401,
            (await AskAsync("/v1/executions", r => r.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "wrong"))).Status
        );
        Assert.Equal(401, (await AskAsync("/v1/nothing/here")).Status);
        Assert.DoesNotContain(Token, _server.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Bearer")]
    [InlineData("token")]
    public async Task The_token_is_taken_from_the_header(string scheme) =>
        Assert.Equal(
            200,
            (await AskAsync("/v1/executions", r => r.Headers.Authorization = new AuthenticationHeaderValue(scheme, Token))).Status
        );

    [Fact]
    public async Task The_token_is_taken_from_the_query() => Assert.Equal(200, (await AskAsync("/v1/executions?token=" + Token)).Status);

    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:8787")]
    [InlineData("127.0.0.1.evil.example")]
    public async Task A_name_that_is_not_ours_is_refused_even_with_the_token(string host)
    {
        RestReply refused = await AskAsync("/v1/executions?token=" + Token, r => r.Headers.Host = host);
        Assert.Equal((403, "host-not-allowed"), (refused.Status, refused.Code));
    }

    [Theory]
    [InlineData("http://evil.example")]
    [InlineData("null")]
    [InlineData("http://localhost:1")]
    public async Task A_page_of_a_stranger_is_refused_even_with_the_token(string origin)
    {
        RestReply refused = await AskAsync("/v1/executions?token=" + Token, r => r.Headers.Add("Origin", origin));
        Assert.Equal((403, "origin-not-allowed"), (refused.Status, refused.Code));
    }

    [Fact]
    public async Task A_page_of_our_own_is_let_in() =>
        Assert.Equal(200, (await AskAsync("/v1/executions?token=" + Token, r => r.Headers.Add("Origin", _rest.Url))).Status);

    [Fact]
    public void The_token_and_the_data_are_the_owners_alone()
    {
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(owner, File.GetUnixFileMode(Path.Combine(_server.Data, "token")));
        Assert.Equal(owner | UnixFileMode.UserExecute, File.GetUnixFileMode(_server.Data));
    }

    private Task<RestReply> AskAsync(string path, Action<HttpRequestMessage>? change = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        change?.Invoke(request);
        return _rest.SendAsync(request, withToken: false);
    }
}
