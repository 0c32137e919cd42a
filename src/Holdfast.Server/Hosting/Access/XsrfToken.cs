using System.Security.Cryptography;
using System.Text;

namespace Holdfast.Server.Hosting.Access;

/// <summary>
/// The token that a page of ours shows to prove that it can read our cookies: the <c>_xsrf</c> cookie sent back as a header, a query
/// parameter or a form field. Signed, so that a stranger on a neighbouring name cannot plant one that he knows.
/// </summary>
internal sealed class XsrfToken(AccessToken token)
{
    public const string Name = "_xsrf";

    private readonly byte[] _key = token.KeyFor("holdfast xsrf 1");

    /// <summary>The token of this client's cookie; a new one is set when it has none.</summary>
    public string Ensure(HttpContext context)
    {
        if (Cookies.Of(context.Request, Name).FirstOrDefault(IsOurs) is { } present)
        {
            return present;
        }

        string value = New();
        context.Response.Cookies.Append(
            Name,
            value,
            new CookieOptions
            {
                SameSite = SameSiteMode.Lax,
                Secure = context.Request.IsHttps,
                Path = "/",
            }
        );
        return value;
    }

    /// <summary>True when the request shows the token of its cookie.</summary>
    public async Task<bool> IsShownAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        string given = request.Headers["X-XSRFToken"].ToString();
        given = given.Length > 0 ? given : request.Headers["X-CSRFToken"].ToString();
        given = given.Length > 0 ? given : request.Query[Name].ToString();
        if (given.Length == 0 && request.HasFormContentType)
        {
            given = (await request.ReadFormAsync(context.RequestAborted))[Name].ToString();
        }

        byte[] bytes = Encoding.UTF8.GetBytes(given);
        return IsOurs(given)
            && Cookies.Of(request, Name).Any(cookie => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(cookie), bytes));
    }

    internal string New()
    {
        string random = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        return $"{random}.{Sign(random)}";
    }

    private bool IsOurs(string value) =>
        value.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(value[(dot + 1)..]), Encoding.UTF8.GetBytes(Sign(value[..dot])));

    private string Sign(string random) => Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(random)));
}
