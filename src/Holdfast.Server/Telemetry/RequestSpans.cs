using System.Diagnostics;

namespace Holdfast.Server.Telemetry;

/// <summary>
/// Names the span of each request by its route and says how it was answered (OpenTelemetry's conventions for HTTP servers). The path is the
/// one behind the gate, and the query is left out: a token in either is nobody's business.
/// </summary>
internal static class RequestSpans
{
    public static RequestDelegate Wrap(RequestDelegate next) =>
        async context =>
        {
            try
            {
                await next(context);
            }
            finally
            {
                if (Activity.Current is { } activity)
                {
                    Tell(activity, context);
                }
            }
        };

    private static void Tell(Activity activity, HttpContext context)
    {
        string? route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
        activity.DisplayName = route is null ? context.Request.Method : $"{context.Request.Method} {route}";
        _ = activity
            .SetTag("http.request.method", context.Request.Method)
            .SetTag("url.path", context.Request.Path.Value)
            .SetTag("url.query", null)
            .SetTag("http.route", route)
            .SetTag("http.response.status_code", context.Response.StatusCode);
        if (context.Response.StatusCode >= 500)
        {
            _ = activity.SetStatus(ActivityStatusCode.Error);
        }
    }
}
