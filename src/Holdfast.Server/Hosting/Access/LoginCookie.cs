using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Holdfast.Server.Hosting.Access;

/// <summary>
/// A login as a cookie, named as Jupyter names it. It says when it was made and is signed with a key derived from the token: nothing is stored, a new token ends all
/// logins, and the cookie does not give the token away.
/// </summary>
internal sealed class LoginCookie(AccessToken token, TimeProvider time)
{
    private static readonly TimeSpan Life = TimeSpan.FromDays(30);
    private readonly byte[] _key = token.KeyFor("holdfast login cookie 1");

    public bool IsIn(HttpRequest request) => Cookies.Of(request, NameFor(request.Host)).Any(IsValid);

    public void Set(HttpContext context) =>
        context.Response.Cookies.Append(NameFor(context.Request.Host), New(), Options(context, Life));

    public static void Clear(HttpContext context) => context.Response.Cookies.Append(NameFor(context.Request.Host), "", Options(context, TimeSpan.Zero));

    /// <summary>Servers on other ports of this machine have cookies of their own: ports do not part cookies, names do.</summary>
    internal static string NameFor(HostString host) =>
        string.Create(CultureInfo.InvariantCulture, $"username-{string.Concat((host.Value ?? "").Select(static c => char.IsAsciiLetterOrDigit(c) ? c : '-'))}");

    internal string New()
    {
        string issued = time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return $"{issued}.{Sign(issued)}";
    }

    internal bool IsValid(string value)
    {
        int dot = value.IndexOf('.', StringComparison.Ordinal);
        if (dot is <= 0 or > 20 || !long.TryParse(value.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out long issued))
        {
            return false;
        }

        bool isOurs = CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(value[(dot + 1)..]), Encoding.UTF8.GetBytes(Sign(value[..dot])));
        long age = time.GetUtcNow().ToUnixTimeSeconds() - issued;
        return isOurs && age <= (long)Life.TotalSeconds;
    }

    private string Sign(string issued) => Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(issued)));

    // Lax: a link to this server from elsewhere finds its user logged in, but nothing that changes anything can be sent from elsewhere. Max-Age and not Expires, whose comma
    // does not survive in clients that send the line back whole.
    private static CookieOptions Options(HttpContext context, TimeSpan life) =>
        new() { HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = context.Request.IsHttps, Path = "/", MaxAge = life };
}
