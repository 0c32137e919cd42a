using Holdfast.Engine.Access;

namespace Holdfast.Server.Hosting.Access;

/// <summary>
/// <c>/t/TOKEN/...</c>: for clients that can be given an address and nothing else, such as those that open a WebSocket without credentials.
/// The prefix becomes the path base before routing, so that routes, logs and errors do not know of it.
/// </summary>
internal static class TokenPrefix
{
    private const string Start = "/t/";

    /// <summary>
    /// Null when the path has no such prefix; else whose its token is, in which case it is taken off the path, or that it is a wrong one.
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
        if (credentials.FindToken(given) is not { } bearer)
        {
            return new Admission(Caller.Wrong, null);
        }

        request.PathBase = request.PathBase.Add(path[..(Start.Length + given.Length)]);
        request.Path = end < 0 ? "/" : path[end..];
        return new Admission(Caller.Token, bearer);
    }
}
