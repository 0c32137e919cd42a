using Holdfast.Engine.Access;
using Holdfast.Server.Hosting.Access;

namespace Holdfast.Tests.Hosting;

/// <summary>What each route takes. One that nobody thought of is never free.</summary>
public sealed class RequiredScopeTests
{
    [Theory]
    [InlineData("GET", "/v1/executions", AccessScopes.Read)]
    [InlineData("GET", "/v1/feed", AccessScopes.Read)]
    [InlineData("HEAD", "/files/a.txt", AccessScopes.Read)]
    [InlineData("GET", "/api/contents/a.ipynb", AccessScopes.Read)]
    [InlineData("GET", "/api/events/subscribe", AccessScopes.Read)]
    [InlineData("POST", "/v1/jobs", AccessScopes.Run)]
    [InlineData("POST", "/v1/executions/x/cancel", AccessScopes.Run)]
    [InlineData("PUT", "/api/contents/a.ipynb", AccessScopes.Run)]
    [InlineData("DELETE", "/api/kernels/x", AccessScopes.Run)]
    [InlineData("PATCH", "/api/sessions/x", AccessScopes.Run)]
    [InlineData("GET", "/api/kernels/x/channels", AccessScopes.Run)]
    [InlineData("GET", "/API/Kernels/x/Channels/", AccessScopes.Run)]
    [InlineData("GET", "/terminals/websocket/1", AccessScopes.Run)]
    [InlineData("GET", "/v1/tokens", AccessScopes.Manage)]
    [InlineData("POST", "/v1/tokens", AccessScopes.Manage)]
    [InlineData("DELETE", "/V1/Tokens/x", AccessScopes.Manage)]
    [InlineData("GET", "/v1/audit", AccessScopes.Manage)]
    [InlineData("GET", "/v1/locks", AccessScopes.Read)]
    [InlineData("POST", "/v1/locks/release", AccessScopes.Manage)]
    [InlineData("GET", "/v1/recovery", AccessScopes.Read)]
    [InlineData("POST", "/v1/recovery/retry", AccessScopes.Manage)]
    [InlineData("POST", "/v1/callbacks/x/redrive", AccessScopes.Manage)]
    [InlineData("POST", "/v1/assets", AccessScopes.Run)]
    [InlineData("POST", "/v1/assets/prune", AccessScopes.Manage)]
    [InlineData("POST", "/mcp", AccessScopes.Read | AccessScopes.Run)]
    [InlineData("GET", "/rpc", AccessScopes.Read | AccessScopes.Run)]
    [InlineData("BREW", "/v1/anything", AccessScopes.Run)]
    [InlineData("POST", "/v1/locksmith", AccessScopes.Run)]
    public void Seeing_is_read_doing_is_run_and_deciding_over_others_is_manage(string method, string path, AccessScopes scope) =>
        Assert.Equal(scope, RequiredScope.For(method, path));
}
