using Holdfast.Engine.Access;

namespace Holdfast.Server.Hosting.Access;

/// <summary>
/// Finds out whose a request is: the query's token, else the header's, else the cookie of a login. A token is the data directory's own or
/// one of those that were made. The login page reaches it through the request's features.
/// </summary>
internal sealed class Credentials
{
    private readonly AccessToken _main;
    private readonly Func<TokenRing?> _ring;

    /// <param name="ring">Null until the store is open: until then only the data directory's own token is known.</param>
    public Credentials(string token, Func<TokenRing?> ring, TimeProvider time)
    {
        _main = new AccessToken(token);
        _ring = ring;
        Login = new LoginCookie(_main, id => id == ApiToken.MainId ? Bearer.Main : ring()?.FindById(id), time);
        Xsrf = new XsrfToken(_main);
        Failures = new FailedTries(time);
    }

    public LoginCookie Login { get; }

    public XsrfToken Xsrf { get; }

    public FailedTries Failures { get; }

    /// <summary>Null for what is no token, or none any more.</summary>
    public Bearer? FindToken(ReadOnlySpan<char> given) => _main.IsMatch(given) ? Bearer.Main : _ring()?.Find(given);

    public Admission Find(HttpRequest request)
    {
        string? given = Given(request);
        if (given is not null && FindToken(given) is { } bearer)
        {
            return new Admission(Caller.Token, bearer);
        }

        return Login.Find(request) is { } loggedIn
            ? new Admission(Caller.Cookie, loggedIn)
            : new Admission(given is null ? Caller.Nobody : Caller.Wrong, null);
    }

    private static string? Given(HttpRequest request)
    {
        if (request.QueryString.HasValue && request.Query.TryGetValue("token", out var query) && query.ToString() is { Length: > 0 } given)
        {
            return given;
        }

        string header = request.Headers.Authorization.ToString();
        int space = header.IndexOf(' ', StringComparison.Ordinal);
        return
            space > 0
            && (
                header.AsSpan(0, space).Equals("bearer", StringComparison.OrdinalIgnoreCase)
                || header.AsSpan(0, space).Equals("token", StringComparison.OrdinalIgnoreCase)
            )
            ? header[(space + 1)..].Trim()
            : null;
    }
}
