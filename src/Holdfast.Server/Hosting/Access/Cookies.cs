namespace Holdfast.Server.Hosting.Access;

/// <summary>
/// Reads the Cookie header by hand: VS Code sends back whole Set-Cookie lines, attributes included, which a strict reader drops with what
/// follows them.
/// </summary>
internal static class Cookies
{
    /// <summary>Every value given under a name: two paths or hosts may each have set one.</summary>
    public static IEnumerable<string> Of(HttpRequest request, string name)
    {
        foreach (string? header in request.Headers.Cookie)
        {
            foreach (string pair in (header ?? "").Split(';', StringSplitOptions.TrimEntries))
            {
                if (pair.Length > name.Length && pair[name.Length] == '=' && pair.StartsWith(name, StringComparison.Ordinal))
                {
                    yield return pair[(name.Length + 1)..].Trim('"');
                }
            }
        }
    }
}
