using Holdfast.Engine.Access;
using Holdfast.Server.Jupyter;

namespace Holdfast.Server.Hosting.Access;

/// <summary>
/// <c>/t/TOKEN/...</c>: for clients that can be given an address and nothing else, such as those that open a WebSocket without credentials.
/// The prefix becomes the path base before routing, so that routes, logs and errors do not know of it.
/// </summary>
internal static class TokenPrefix
{
    private const string Start = "/t/";

    /// <summary>
    /// Null when the path has no such prefix; else whose its token is, or that it is a wrong one. It is no longer in the path either way.
    /// </summary>
    public static Admission? TryTake(HttpRequest request, Credentials credentials)
    {
        string path = request.Path.Value ?? "";
        if (!path.StartsWith(Start, StringComparison.Ordinal))
        {
            return null;
        }

        int end = path.IndexOf('/', Start.Length);
        string given = end < 0 ? path[Start.Length..] : path[Start.Length..end];
        string rest = end < 0 ? "/" : path[end..];
        if (credentials.FindToken(given) is not { } bearer)
        {
            // What was tried is nobody's business, least of all a log's; but the error is to have the shape of the door that was asked.
            request.Path = JupyterPaths.Has(rest) ? rest : "/t";
            return new Admission(Caller.Wrong, null);
        }

        request.PathBase = request.PathBase.Add(path[..(Start.Length + given.Length)]);
        request.Path = rest;
        return new Admission(Caller.Token, bearer);
    }
}
