using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Holdfast.Engine.Access;

namespace Holdfast.Server.Hosting.Access;

/// <summary>
/// A login as a cookie, named as Jupyter names it. It says when it was made and with which token, by that one's id, and is signed with a
/// key derived from the data directory's token: nothing is stored, it ends with the token it was made with, and does not give that away.
/// </summary>
internal sealed class LoginCookie(AccessToken token, Func<string, Bearer?> findById, TimeProvider time)
{
    private static readonly TimeSpan Life = TimeSpan.FromDays(30);
    private const int IssuedDigitsMax = 20;
    private readonly byte[] _key = token.KeyFor("holdfast login cookie 2");

    /// <summary>Who logged in; null without a cookie that is good.</summary>
    public Bearer? Find(HttpRequest request) =>
        Cookies.Of(request, NameFor(request.Host)).Select(Read).FirstOrDefault(static b => b is not null);

    public void Set(HttpContext context, Bearer bearer) =>
        context.Response.Cookies.Append(NameFor(context.Request.Host), New(bearer), Options(context, Life));

    public static void Clear(HttpContext context) =>
        context.Response.Cookies.Append(NameFor(context.Request.Host), "", Options(context, TimeSpan.Zero));

    /// <summary>Servers on other ports of this machine have cookies of their own: ports do not part cookies, names do.</summary>
    internal static string NameFor(HostString host) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"username-{string.Concat((host.Value ?? "").Select(static c => char.IsAsciiLetterOrDigit(c) ? c : '-'))}"
        );

    internal string New(Bearer bearer)
    {
        string said = string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow().ToUnixTimeSeconds()}.{bearer.TokenId}");
        return $"{said}.{Sign(said)}";
    }

    /// <summary><c>ISSUED.TOKEN-ID.SIGNATURE</c>. The signature comes before anything that is said.</summary>
    internal Bearer? Read(string value)
    {
        int last = value.LastIndexOf('.');
        int first = value.IndexOf('.', StringComparison.Ordinal);
        if (
            first is <= 0 or > IssuedDigitsMax
            || last <= first
            || !CryptographicOperations.FixedTimeEquals(
                Encoding.UTF8.GetBytes(value[(last + 1)..]),
                Encoding.UTF8.GetBytes(Sign(value[..last]))
            )
            || !long.TryParse(value.AsSpan(0, first), NumberStyles.None, CultureInfo.InvariantCulture, out long issued)
        )
        {
            return null;
        }

        long age = time.GetUtcNow().ToUnixTimeSeconds() - issued;
        return age <= (long)Life.TotalSeconds ? findById(value[(first + 1)..last]) : null;
    }

    private string Sign(string said) => Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(said)));

    // Lax: a link to this server from elsewhere finds its user logged in, but nothing that changes anything can be sent from elsewhere.
    // Max-Age and not Expires, whose comma does not survive in clients that send the line back whole.
    private static CookieOptions Options(HttpContext context, TimeSpan life) =>
        new()
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Lax,
            Secure = context.Request.IsHttps,
            Path = "/",
            MaxAge = life,
        };
}
