namespace Holdfast.Server.Hosting.Access;

/// <summary>Finds out whose a request is: the query's token, else the header's, else the cookie of a login. The login page reaches it through the request's features.</summary>
internal sealed class Credentials(string token, TimeProvider time)
{
    public AccessToken Token { get; } = new(token);

    public LoginCookie Login { get; } = new(new AccessToken(token), time);

    public XsrfToken Xsrf { get; } = new(new AccessToken(token));

    public Caller Find(HttpRequest request) => HasToken(request) ? Caller.Token : Login.IsIn(request) ? Caller.Cookie : Caller.Nobody;

    private bool HasToken(HttpRequest request)
    {
        if (request.QueryString.HasValue && request.Query.TryGetValue("token", out var query) && query.ToString() is { Length: > 0 } given)
        {
            return Token.IsMatch(given);
        }

        string header = request.Headers.Authorization.ToString();
        int space = header.IndexOf(' ', StringComparison.Ordinal);
        return space > 0 && (header.AsSpan(0, space).Equals("bearer", StringComparison.OrdinalIgnoreCase) || header.AsSpan(0, space).Equals("token", StringComparison.OrdinalIgnoreCase))
            && Token.IsMatch(header.AsSpan(space + 1).Trim());
    }
}
