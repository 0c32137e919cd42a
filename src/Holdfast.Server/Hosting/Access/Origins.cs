using System.Net;
using Microsoft.Net.Http.Headers;

namespace Holdfast.Server.Hosting.Access;

/// <summary>
/// Whose name this server answers to, and whose pages may talk to it. A page of a stranger can have its own name resolve to loopback, so
/// names are checked too.
/// </summary>
internal sealed class Origins(string boundHost, IReadOnlyList<string> allowed)
{
    private const string Methods = "GET, PUT, POST, PATCH, DELETE, OPTIONS";
    private const string RequestHeaders = "accept, content-type, authorization, x-xsrftoken";
    private const string AnswerHeaders = "Location, Retry-After";
    private const string PreflightSeconds = "600";

    private static readonly string[] LoopbackNames = ["localhost", "127.0.0.1", "::1", "[::1]"];
    private readonly bool _isLoopbackOnly = !IPAddress.TryParse(boundHost, out IPAddress? address) || IPAddress.IsLoopback(address);

    public bool IsOurName(string host) =>
        LoopbackNames.Contains(host)
        || host == boundHost
        || (
            !_isLoopbackOnly
            && (IPAddress.TryParse(host.Trim('[', ']'), out _) || host.Equals(Environment.MachineName, StringComparison.OrdinalIgnoreCase))
        );

    /// <summary>A page that this server itself sent, under any of its names.</summary>
    public bool IsOurs(string origin, HttpRequest request) =>
        Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri)
        && IsOurName(uri.Host)
        && uri.Port == (request.Host.Port ?? (request.IsHttps ? 443 : 80));

    /// <summary>A page that this server sent under the very name that is asked now: what a cookie asks for.</summary>
    public static bool IsSame(string origin, HttpRequest request) =>
        origin.Equals($"{request.Scheme}://{request.Host.Value}", StringComparison.OrdinalIgnoreCase);

    /// <summary>Named by whoever runs the server.</summary>
    public bool IsAllowed(string origin) => allowed.Contains(origin, StringComparer.OrdinalIgnoreCase) || allowed.Contains("*");

    /// <summary>Lets the page read the answer.</summary>
    public static void Open(HttpResponse response, string origin)
    {
        response.Headers.AccessControlAllowOrigin = origin;
        response.Headers.AccessControlExposeHeaders = AnswerHeaders;
        response.Headers.Append(HeaderNames.Vary, HeaderNames.Origin);
    }

    public static void AnswerPreflight(HttpResponse response, string origin)
    {
        Open(response, origin);
        response.Headers.AccessControlAllowMethods = Methods;
        response.Headers.AccessControlAllowHeaders = RequestHeaders;
        response.Headers.AccessControlMaxAge = PreflightSeconds;
        response.StatusCode = StatusCodes.Status204NoContent;
    }
}
