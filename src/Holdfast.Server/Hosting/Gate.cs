using System.Net;
using System.Security.Cryptography;
using System.Text;
using Holdfast.Engine;
using Holdfast.Server.Jupyter;
using Holdfast.Server.Rest;

namespace Holdfast.Server.Hosting;

/// <summary>
/// Stands before every route: 1. Host must be a name of ours, and Origin one of our own pages (a page of a stranger can have its name resolve to loopback); 2. the token, on all
/// but health; 3. while the server recovers, 503 rather than an answer that lies by omission; 4. whatever a route throws becomes a problem, in one place,
/// and so does what no route takes.
/// </summary>
public sealed partial class Gate(string token, string boundHost, EngineDoor door, ILogger<Gate> logger)
{
    private static readonly string[] LoopbackNames = ["localhost", "127.0.0.1", "::1", "[::1]"];

    private readonly byte[] _token = Encoding.UTF8.GetBytes(token);
    private readonly bool _isLoopbackOnly = !IPAddress.TryParse(boundHost, out IPAddress? address) || IPAddress.IsLoopback(address);

    public RequestDelegate Wrap(RequestDelegate next) => async context =>
    {
        try
        {
            if (Refusal(context) is { } refusal)
            {
                await WriteAsync(context, refusal.Code, refusal.Message);
                return;
            }

            await next(context);
            if (!context.Response.HasStarted && Unanswered(context) is { } unanswered)
            {
                await WriteAsync(context, unanswered.Code, unanswered.Message);
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller went away; only the answering stops.
        }
        catch (Exception e)
        {
            await FailAsync(context, e);
        }
    };

    /// <summary>In the shape of the door that was asked.</summary>
    private static Task WriteAsync(HttpContext context, string code, string detail) => JupyterPaths.Has(context.Request.Path)
        ? JupyterProblem.WriteAsync(context, code, detail, Problem.StatusOf(code))
        : Problem.WriteAsync(context, code, detail);

    private Task FailAsync(HttpContext context, Exception exception)
    {
        Failure failure = Failure.Of(exception);
        if (failure.Code == ErrorCodes.InternalError)
        {
            Log.Unexpected(logger, context.Request.Method, context.Request.Path, context.TraceIdentifier, exception);
        }

        if (!context.Response.HasStarted)
        {
            context.Response.Clear();
            return WriteAsync(context, failure.Code, failure.Detail);
        }

        // Half an answer is out: cut the connection, so that nobody takes it for a whole one.
        context.Abort();
        return Task.CompletedTask;
    }

    private RefusedException? Refusal(HttpContext context)
    {
        HttpRequest request = context.Request;
        if (!IsOurName(request.Host.Host))
        {
            return new RefusedException(ErrorCodes.HostNotAllowed, $"The Host '{request.Host.Host}' is not a name of this server. Use localhost or its address.");
        }

        if (request.Headers.Origin is { Count: > 0 } origin && !IsOurOrigin(origin.ToString(), request))
        {
            return new RefusedException(ErrorCodes.OriginNotAllowed, $"Pages of {origin} may not call this server.");
        }

        string path = request.Path.Value ?? "";
        if (path is "/healthz" or "/readyz" or "/api")
        {
            return null;
        }

        if (!HasToken(request))
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            return new RefusedException(ErrorCodes.Unauthorized,
                "A token is required: 'Authorization: Bearer TOKEN', or '?token=TOKEN'. It is in the file 'token' of the data directory.");
        }

        if (!door.IsReady && path != "/v1/recovery")
        {
            return door.IsStopping
                ? new RefusedException(ErrorCodes.ServerStopping, "The server is stopping. What runs goes on without it; ask again when it is back.")
                : new RefusedException(ErrorCodes.Recovering, "The server is taking up its work again. Try again in a moment; /readyz tells when.");
        }

        return null;
    }

    /// <summary>Routing left only a status: there is no such path, or not with this method (then Allow is set).</summary>
    private static RefusedException? Unanswered(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => new RefusedException(
            ErrorCodes.RouteNotFound, $"There is no route {context.Request.Method} {context.Request.Path}. /v1/openapi.json lists those there are."),
        StatusCodes.Status405MethodNotAllowed => new RefusedException(
            ErrorCodes.MethodNotAllowed, $"{context.Request.Path} does not take {context.Request.Method}; it takes {context.Response.Headers.Allow}."),
        _ => null,
    };

    private bool IsOurName(string host) =>
        LoopbackNames.Contains(host) || host == boundHost ||
        (!_isLoopbackOnly && (IPAddress.TryParse(host.Trim('[', ']'), out _) || host.Equals(Environment.MachineName, StringComparison.OrdinalIgnoreCase)));

    private bool IsOurOrigin(string origin, HttpRequest request) =>
        Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri) && IsOurName(uri.Host) && uri.Port == (request.Host.Port ?? 80);

    private bool HasToken(HttpRequest request)
    {
        if (request.Headers.Authorization is { Count: > 0 } values)
        {
            string header = values.ToString();
            int space = header.IndexOf(' ');
            if (space > 0 && header[..space] is { } scheme &&
                (scheme.Equals("bearer", StringComparison.OrdinalIgnoreCase) || scheme.Equals("token", StringComparison.OrdinalIgnoreCase)))
            {
                return IsToken(header.AsSpan(space + 1).Trim());
            }
        }

        return request.QueryString.HasValue && request.Query.TryGetValue("token", out var query) && IsToken(query.ToString());
    }

    private bool IsToken(ReadOnlySpan<char> given)
    {
        if (given.Length > 512)
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[512 * 3];
        int length = Encoding.UTF8.GetBytes(given, bytes);
        return CryptographicOperations.FixedTimeEquals(bytes[..length], _token);
    }

    private static partial class Log
    {
        [LoggerMessage(ServerEventIds.Unexpected, LogLevel.Error, "{Method} {Path} failed unexpectedly ({TraceId}).")]
        public static partial void Unexpected(ILogger logger, string method, string path, string traceId, Exception exception);
    }
}
