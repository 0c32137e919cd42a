using Holdfast.Engine.Access;

namespace Holdfast.Server.Hosting.Access;

/// <summary>
/// Which scope a request takes, by its method and path, for every door: what is asked for is read, what is changed is run, what decides
/// over others is manage. A route that nobody thought of here takes run, or read for a GET. Pure.
/// </summary>
internal static class RequiredScope
{
    /// <summary>Not even to be read without manage.</summary>
    private static readonly string[] Managed = ["/v1/tokens", "/v1/audit"];

    /// <summary>To be read by anybody who may read; a change takes manage.</summary>
    private static readonly string[] Decided =
    [
        "/v1/locks",
        "/v1/recovery",
        "/v1/callbacks",
        "/v1/orphans",
        "/v1/retention",
        "/v1/assets/prune",
        "/v1/supervisors",
        "/v1/doctor",
        "/v1/stop",
    ];

    /// <summary>Reached by GET, since a WebSocket begins with one, but a way to type.</summary>
    private static readonly (string Start, string End)[] Typed = [("/api/kernels/", "/channels"), ("/terminals/websocket/", "")];

    public static AccessScopes For(string method, string path)
    {
        if (Array.Exists(Managed, root => IsUnder(path, root)))
        {
            return AccessScopes.Manage;
        }

        if (
            Array.Exists(
                Typed,
                t =>
                    path.StartsWith(t.Start, StringComparison.OrdinalIgnoreCase)
                    && path.TrimEnd('/').EndsWith(t.End, StringComparison.OrdinalIgnoreCase)
            )
        )
        {
            return AccessScopes.Run;
        }

        // The two doors whose calls all come by one route: what a call does is not seen from here, so it takes what it may at most need.
        if (IsUnder(path, "/rpc") || IsUnder(path, "/mcp"))
        {
            return AccessScopes.Read | AccessScopes.Run;
        }

        return HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) ? AccessScopes.Read
            : Array.Exists(Decided, root => IsUnder(path, root)) ? AccessScopes.Manage
            : AccessScopes.Run;
    }

    private static bool IsUnder(string path, string root) =>
        path.StartsWith(root, StringComparison.OrdinalIgnoreCase) && (path.Length == root.Length || path[root.Length] == '/');
}
