using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace Holdfast.Engine.Callbacks;

/// <summary>
/// Sends a callback as a POST: Standard Webhooks' headers, the stored bytes, no redirect followed, no proxy, no cookie, nothing of our own
/// traces; and reads the status and the first bytes of the answer. What it is told is not believed further than that: a wrong length or
/// garbage after the status changes nothing.
/// </summary>
public sealed class WebhookSender : ICallbackSender, IDisposable
{
    /// <summary>The status is what counts; what follows it is for people, and is not waited for longer than this.</summary>
    private static readonly TimeSpan HeadPatience = TimeSpan.FromSeconds(5);

    private const int AnswerHeadersKilobytesMax = 16;

    private readonly TimeProvider _time;
    private readonly Lazy<HttpMessageInvoker> _http;

    public WebhookSender(GuardedConnection connection, TimeProvider time)
    {
        _time = time;
        _http = new Lazy<HttpMessageInvoker>(() => Create(connection));
    }

    public async Task<CallbackAnswer> SendAsync(Callback callback, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(CallbackLimits.Timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            using HttpRequestMessage request = Request(callback);
            using HttpResponseMessage response = await _http.Value.SendAsync(request, either.Token);
            byte[] head = await ReadHeadAsync(response, either.Token);
            int status = (int)response.StatusCode;
            CallbackVerdict verdict = CallbackTransitions.Judge(status);
            return new CallbackAnswer(verdict)
            {
                Status = status,
                Head = head,
                RetryAfter = RetryAfter(response.Headers.RetryAfter),
                Error = verdict == CallbackVerdict.Delivered ? null : Explain(verdict, status),
            };
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException)
        {
            return Failed($"No answer within {CallbackLimits.Timeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)} seconds.");
        }
        catch (HttpRequestException e)
        {
            return Failed(e.InnerException is { } cause ? $"{Name(e.HttpRequestError)}: {cause.Message}" : e.Message);
        }
        catch (IOException e)
        {
            return Failed(e.Message);
        }
    }

    public void Dispose()
    {
        if (_http.IsValueCreated)
        {
            _http.Value.Dispose();
        }
    }

    private static HttpMessageInvoker Create(GuardedConnection connection) =>
        new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseProxy = false, // A proxy would connect where nobody has looked.
                UseCookies = false,
                AutomaticDecompression = DecompressionMethods.None,
                ActivityHeadersPropagator = null,
                ConnectCallback = connection.ConnectAsync,
                MaxConnectionsPerServer = CallbackLimits.InFlightPerHostMax,
                MaxResponseHeadersLength = AnswerHeadersKilobytesMax,
                MaxResponseDrainSize = 64 * 1024,
                PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
                PooledConnectionLifetime = TimeSpan.FromMinutes(2), // So that a name is looked up, and judged, again.
            }
        );

    private HttpRequestMessage Request(Callback callback)
    {
        long seconds = _time.GetUtcNow().ToUnixTimeSeconds();
        byte[] body = callback.Body!;
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var request = new HttpRequestMessage(HttpMethod.Post, callback.Order.Url) { Content = content };
        request.Headers.Add("User-Agent", "Holdfast/" + ProductVersion.Current);
        request.Headers.Add("webhook-id", callback.Id.Value);
        request.Headers.Add("webhook-timestamp", seconds.ToString(CultureInfo.InvariantCulture));
        if (callback.Order.Secrets.Count > 0)
        {
            request.Headers.Add("webhook-signature", WebhookSignature.Sign(callback.Order.Secrets, callback.Id.Value, seconds, body));
        }

        return request;
    }

    private async Task<byte[]> ReadHeadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        byte[] head = new byte[CallbackLimits.AnswerBytesMax];
        int length = 0;
        using var patience = new CancellationTokenSource(HeadPatience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            Stream body = await response.Content.ReadAsStreamAsync(either.Token);
            for (int read; length < head.Length && (read = await body.ReadAsync(head.AsMemory(length), either.Token)) > 0; length += read)
            { }
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException)
        {
            // The status has been given; this was only to be shown.
        }

        return head[..length];
    }

    private TimeSpan RetryAfter(RetryConditionHeaderValue? header)
    {
        TimeSpan asked = header?.Delta ?? (header?.Date is { } date ? date - _time.GetUtcNow() : TimeSpan.Zero);
        return asked > TimeSpan.Zero ? asked : TimeSpan.Zero;
    }

    private static CallbackAnswer Failed(string error) => new(CallbackVerdict.Failed) { Error = error };

    private static string Explain(CallbackVerdict verdict, int status) =>
        verdict switch
        {
            CallbackVerdict.Gone => "The receiver answered 410: it wants to hear no more of this.",
            CallbackVerdict.Refused =>
                $"The receiver answered {status.ToString(CultureInfo.InvariantCulture)}, which another attempt would not change.",
            _ when status is >= 300 and < 400 =>
                $"The receiver answered {status.ToString(CultureInfo.InvariantCulture)}: redirects are not followed.",
            _ => $"The receiver answered {status.ToString(CultureInfo.InvariantCulture)}.",
        };

    private static string Name(HttpRequestError error) =>
        error switch
        {
            HttpRequestError.NameResolutionError => "The name could not be resolved",
            HttpRequestError.SecureConnectionError => "No secure connection could be made",
            HttpRequestError.InvalidResponse => "The answer is not HTTP",
            HttpRequestError.ResponseEnded => "The answer ended before its status",
            HttpRequestError.ConfigurationLimitExceeded => "The answer is larger than is read",
            _ => "No connection could be made",
        };
}
