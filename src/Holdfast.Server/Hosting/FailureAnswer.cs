using Holdfast.Engine;
using Holdfast.Server.Jupyter;
using Holdfast.Server.Rest;

namespace Holdfast.Server.Hosting;

/// <summary>Tells a caller of a failure in the shape of the door that was asked, also where routing alone has refused.</summary>
internal static partial class FailureAnswer
{
    /// <summary>In the shape of the door that was asked.</summary>
    public static Task WriteAsync(HttpContext context, string code, string detail) =>
        JupyterPaths.Has(context.Request.Path)
            ? JupyterProblem.WriteAsync(context, code, detail, Problem.StatusOf(code))
            : Problem.WriteAsync(context, code, detail);

    /// <summary>Whatever a route threw. What nobody foresaw is logged.</summary>
    public static Task WriteAsync(HttpContext context, Exception exception, ILogger logger)
    {
        Failure failure = Failure.Of(exception);
        if (failure.Code == ErrorCodes.InternalError)
        {
            Log.Unexpected(logger, context.Request.Method, context.Request.Path, context.TraceIdentifier, exception);
        }

        if (!context.Response.HasStarted)
        {
            KeepHeaders(context.Response);
            return WriteAsync(context, failure.Code, failure.Detail);
        }

        // Half an answer is out: cut the connection, so that nobody takes it for a whole one.
        context.Abort();
        return Task.CompletedTask;
    }

    /// <summary>
    /// Of what a route has written so far only what concerns the caller stays: a page must be able to read its error, too.
    /// </summary>
    private static void KeepHeaders(HttpResponse response)
    {
        string[] kept =
        [
            "Access-Control-Allow-Origin",
            "Access-Control-Expose-Headers",
            "Vary",
            "Set-Cookie",
            "WWW-Authenticate",
            "Retry-After",
        ];
        var headers = response.Headers.Where(h => kept.Contains(h.Key, StringComparer.OrdinalIgnoreCase)).ToArray();
        response.Clear();
        foreach (var header in headers)
        {
            response.Headers[header.Key] = header.Value;
        }
    }

    /// <summary>Routing left only a status: there is no such path, or not with this method (then Allow is set).</summary>
    public static RefusedException? Unanswered(HttpContext context) =>
        context.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => new RefusedException(
                ErrorCodes.RouteNotFound,
                $"There is no route {context.Request.Method} {context.Request.Path}. /v1/openapi.json lists those there are."
            ),
            StatusCodes.Status405MethodNotAllowed => new RefusedException(
                ErrorCodes.MethodNotAllowed,
                $"{context.Request.Path} does not take {context.Request.Method}; it takes {context.Response.Headers.Allow}."
            ),
            _ => null,
        };

    private static partial class Log
    {
        [LoggerMessage(ServerEventIds.Unexpected, LogLevel.Error, "{Method} {Path} failed unexpectedly ({TraceId}).")]
        public static partial void Unexpected(ILogger logger, string method, string path, string traceId, Exception exception);
    }
}
