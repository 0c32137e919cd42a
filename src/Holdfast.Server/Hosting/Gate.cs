using System.Globalization;
using Holdfast.Engine;
using Holdfast.Engine.Access;
using Holdfast.Engine.Store;
using Holdfast.Server.Hosting.Access;
using Holdfast.Server.Jupyter;
using Holdfast.Server.Rest;

namespace Holdfast.Server.Hosting;

/// <summary>
/// Stands before every route: 1. Host must be a name of ours; 2. a token in the path is taken off it; 3. the caller: a token, the cookie of
/// a login, or nobody, who gets no further than health, /api and the login page, and may do what its token's scopes allow; 4. pages of
/// strangers are turned away, but for those who know the token, and a cookie counts only for a page that shows its _xsrf;
/// 5. while the server recovers, 503 rather than an answer that lies by omission: only the report and the feed, which leave nothing out,
/// are open; 6. whatever a route throws becomes an error in its door's shape, in one place, and so does what no route takes.
/// </summary>
public sealed partial class Gate
{
    /// <summary>
    /// For how long a socket's handshake may wait for recovery: a few times what recovery takes, and less than clients wait for an answer.
    /// </summary>
    private static readonly TimeSpan HandshakePatience = TimeSpan.FromSeconds(10);

    private readonly Origins _origins;
    private readonly Credentials _credentials;
    private readonly EngineDoor _door;
    private readonly TimeProvider _time;
    private readonly ILogger<Gate> _logger;

    public Gate(string token, string boundHost, EngineDoor door, ILogger<Gate> logger)
        : this(token, boundHost, [], door, TimeProvider.System, logger) { }

    public Gate(
        string token,
        string boundHost,
        IReadOnlyList<string> allowedOrigins,
        EngineDoor door,
        TimeProvider time,
        ILogger<Gate> logger
    )
    {
        _origins = new Origins(boundHost, allowedOrigins);
        _credentials = new Credentials(token, () => door.EngineOrNull?.Tokens, time);
        (_door, _time, _logger) = (door, time, logger);
    }

    public RequestDelegate Wrap(RequestDelegate next) =>
        async context =>
        {
            try
            {
                if (!await AdmitAsync(context))
                {
                    return;
                }

                if (context.Features.Get<Admission>()?.Bearer is { } bearer)
                {
                    await ServeAsync(context, bearer, next);
                }
                else
                {
                    await next(context);
                }

                if (HttpMethods.IsOptions(context.Request.Method) && context.Response.StatusCode == StatusCodes.Status405MethodNotAllowed)
                {
                    // Routing has said in Allow what the path takes, and that was the question.
                    context.Response.StatusCode = StatusCodes.Status204NoContent;
                }

                if (!context.Response.HasStarted && FailureAnswer.Unanswered(context) is { } unanswered)
                {
                    await FailureAnswer.WriteAsync(context, unanswered.Code, unanswered.Message);
                }
            }
            catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
            {
                // The caller went away; only the answering stops.
            }
            catch (Exception e)
            {
                await FailureAnswer.WriteAsync(context, e, _logger);
            }
        };

    /// <summary>False when the request was answered here. Refused by an exception, as routes do.</summary>
    private async Task<bool> AdmitAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        if (!_origins.IsOurName(request.Host.Host))
        {
            throw new RefusedException(
                ErrorCodes.HostNotAllowed,
                $"The Host '{request.Host.Host}' is not a name of this server. Use localhost or its address."
            );
        }

        if (
            !_door.IsReady
            && !_door.IsStopping
            && request.Headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase)
        )
        {
            await WaitForRecoveryAsync(context);
        }

        Admission? prefixed = TokenPrefix.TryTake(request, _credentials);
        if (prefixed is { Caller: Caller.Wrong })
        {
            CountFailure(context);
            throw new RefusedException(ErrorCodes.PrefixNotAllowed, "The token in the path is not this server's.");
        }

        bool isJupyter = JupyterPaths.Has(request.Path);
        string? origin = request.Headers.Origin is { Count: > 0 } origins ? origins.ToString() : null;
        if (origin is not null && HttpMethods.IsOptions(request.Method) && request.Headers.AccessControlRequestMethod.Count > 0)
        {
            AnswerPreflight(context, origin, isJupyter);
            return false;
        }

        Admission admission = prefixed ?? _credentials.Find(request);
        Caller caller = admission.Caller;
        CheckOrigin(context, origin, caller, isJupyter);
        string path = request.Path.Value ?? "";
        if (path is "/healthz" or "/readyz" or "/api")
        {
            return true;
        }

        context.Features.Set(_credentials);
        context.Features.Set(admission);
        if (path is "/login" or "/logout")
        {
            return true;
        }

        if (admission.Bearer is not { } bearer)
        {
            if (caller == Caller.Wrong)
            {
                CountFailure(context);
            }

            return RefuseNobody(context, path, caller);
        }

        CheckScope(context, bearer, path);

        if (caller == Caller.Cookie && !IsHarmless(request.Method) && !await _credentials.Xsrf.IsShownAsync(context))
        {
            throw new RefusedException(
                ErrorCodes.XsrfCheckFailed,
                "'_xsrf' argument missing from the request, or not that of its cookie. Send the cookie's value as the header X-XSRFToken."
            );
        }

        if (caller == Caller.Token && prefixed is null && isJupyter && _credentials.Login.Find(request) is null)
        {
            _credentials.Login.Set(context, bearer); // So that a page opened with ?token= goes on without it.
            _credentials.Xsrf.Ensure(context);
        }

        if (!_door.IsReady && path != "/v1/recovery" && (path != "/v1/feed" || _door.IsStopping))
        {
            throw _door.IsStopping
                ? new RefusedException(
                    ErrorCodes.ServerStopping,
                    "The server is stopping. What runs goes on without it; ask again when it is back."
                )
                : new RefusedException(
                    ErrorCodes.Recovering,
                    "The server is taking up its work again. Try again in a moment; /readyz tells when."
                );
        }

        return true;
    }

    /// <summary>Serves somebody as long as his token is good, and keeps a record of what he changes where no operation does.</summary>
    private async Task ServeAsync(HttpContext context, Bearer bearer, RequestDelegate next)
    {
        using CancellationTokenRegistration cut = bearer.Ended.UnsafeRegister(static state => ((HttpContext)state!).Abort(), context);
        string path = context.Request.Path.Value ?? "";
        var actor = new Actor(bearer.TokenId, bearer.Name, context.Connection.RemoteIpAddress?.ToString() ?? "");
        Actor.Current = actor;
        bool isReading = IsHarmless(context.Request.Method);
        if (isReading && RequiredScope.For(context.Request.Method, path) == AccessScopes.Run)
        {
            // A socket: what it is used for comes later, and who opened it must be known before.
            await RecordAsync(actor, new Deed("connect", path, null));
        }

        await next(context);
        if (!isReading && !actor.IsRecorded && context.Response.StatusCode < StatusCodes.Status400BadRequest && path is not "/login")
        {
            // Preferences of front ends and the like are no operations of the engine: their route says what they are.
            string route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? path;
            await RecordAsync(actor, actor.Deed ?? new Deed($"{context.Request.Method} {route}", path, null));
        }
    }

    private async Task RecordAsync(Actor actor, Deed deed)
    {
        try
        {
            await (_door.EngineOrNull?.RecordDeed.RunAsync(actor, deed) ?? Task.CompletedTask);
        }
        catch (StoreException e)
        {
            Log.DeedNotRecorded(_logger, actor.TokenName, deed.Operation, deed.Subject, e);
        }
    }

    /// <summary>
    /// A WebSocket's handshake waits for the end of recovery, where everything else is told to come again: a client whose connection was
    /// lost comes back at once, and if its first try fails, some look again only after 10 to 30 s. Whoever waits in vain gets his 503 as
    /// well.
    /// </summary>
    private async Task WaitForRecoveryAsync(HttpContext context)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _door.Stopping);
        await _door.Recovered.WaitAsync(HandshakePatience, _time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        context.RequestAborted.ThrowIfCancellationRequested();
    }

    private static void CheckScope(HttpContext context, Bearer bearer, string path)
    {
        AccessScopes scope = RequiredScope.For(context.Request.Method, path);
        if ((bearer.Scopes & scope) != scope)
        {
            context.Response.Headers.WWWAuthenticate = $"Bearer error=\"insufficient_scope\", scope=\"{string.Join(' ', scope.List())}\"";
        }

        bearer.Require(scope);
    }

    /// <summary>
    /// Refuses when there were too many wrong tokens from the caller's address, and while it cannot be known whether one is wrong.
    /// </summary>
    private void CountFailure(HttpContext context)
    {
        if (!_door.IsReady && _door.EngineOrNull is null)
        {
            throw new RefusedException(
                ErrorCodes.Recovering,
                "The server is starting, and knows only its own token yet. Try again in a moment."
            );
        }

        if (_credentials.Failures.Add(context.Connection.RemoteIpAddress) is { } many)
        {
            if (many.IsFirst)
            {
                Log.TooManyFailures(_logger, context.Connection.RemoteIpAddress?.ToString() ?? "an unknown address");
            }

            throw TooMany(context, many.Wait);
        }
    }

    internal static RefusedException TooMany(HttpContext context, TimeSpan wait)
    {
        context.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        return new RefusedException(
            ErrorCodes.TooManyFailures,
            "Too many wrong tokens came from your address. A right one is let in at once."
        );
    }

    /// <summary>
    /// A page of a stranger may go on if it knows the token, at Jupyter's door, as in Jupyter; elsewhere only whoever runs the server can
    /// let it.
    /// </summary>
    private void CheckOrigin(HttpContext context, string? origin, Caller caller, bool isJupyter)
    {
        if (origin is null)
        {
            return;
        }

        bool isOpen = _origins.IsAllowed(origin) || (isJupyter && caller == Caller.Token);
        if (!isOpen && !(caller == Caller.Cookie ? Origins.IsSame(origin, context.Request) : _origins.IsOurs(origin, context.Request)))
        {
            throw Stranger(origin);
        }

        if (isOpen)
        {
            Origins.Open(context.Response, origin);
        }
    }

    /// <summary>A browser asks, before it lets a page ask. Who wants to send a token is let through to where it is checked.</summary>
    private void AnswerPreflight(HttpContext context, string origin, bool isJupyter)
    {
        bool willShowToken = context
            .Request.Headers.AccessControlRequestHeaders.ToString()
            .Contains("authorization", StringComparison.OrdinalIgnoreCase);
        if (!_origins.IsAllowed(origin) && !_origins.IsOurs(origin, context.Request) && !(isJupyter && willShowToken))
        {
            throw Stranger(origin);
        }

        Origins.AnswerPreflight(context.Response, origin);
    }

    private static readonly string[] PagesBelow = ["/tree/", "/lab/tree/", "/lab/workspaces/", "/doc/"];

    /// <summary>People are led to the login, programs are told.</summary>
    private static bool RefuseNobody(HttpContext context, string path, Caller caller)
    {
        if (
            HttpMethods.IsGet(context.Request.Method)
            && (path is "/" or "/tree" or "/lab" or "/doc" || Array.Exists(PagesBelow, p => path.StartsWith(p, StringComparison.Ordinal)))
        )
        {
            context.Response.Redirect($"{context.Request.PathBase}/login?next={Uri.EscapeDataString(path)}");
            return false;
        }

        context.Response.Headers.WWWAuthenticate = "Bearer";
        throw new RefusedException(
            ErrorCodes.Unauthorized,
            caller == Caller.Wrong
                ? "This token is not good: it is mistyped, has expired, or was revoked. The server's own is in the file 'token' of the data directory; `holdfast tokens` lists the others."
                : "A token is required: 'Authorization: Bearer TOKEN', or '?token=TOKEN'. It is in the file 'token' of the data directory."
        );
    }

    private static RefusedException Stranger(string origin) =>
        new(ErrorCodes.OriginNotAllowed, $"Pages of {origin} may not call this server.");

    private static bool IsHarmless(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method);

    private static partial class Log
    {
        [LoggerMessage(ServerEventIds.TooManyFailures, LogLevel.Warning, "Too many wrong tokens came from {Remote} within a minute.")]
        public static partial void TooManyFailures(ILogger logger, string remote);

        [LoggerMessage(
            ServerEventIds.DeedNotRecorded,
            LogLevel.Error,
            "What was done with the token {Token} could not be recorded: {Operation} {Subject}."
        )]
        public static partial void DeedNotRecorded(ILogger logger, string token, string operation, string subject, Exception exception);
    }
}
