using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Client;

/// <summary>
/// Speaks with the REST door. What it adds to HTTP: the server is found anew for every try, a recovering server is waited for, and a
/// patient verb's requests outlive the server's death (<see cref="Outage"/>). A request that may have arrived is sent again only when that
/// does no harm.
/// </summary>
public sealed class HoldfastClient : IDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RecoveryPatience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RecoveryPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan RecoverySilence = TimeSpan.FromSeconds(2);

    private readonly CliContext _context;
    private readonly HttpMessageInvoker _http;

    private readonly Outage _outage;

    public HoldfastClient(CliContext context, Arguments arguments)
        : this(context, new ServerLocator(arguments, context.Environment)) { }

    public HoldfastClient(CliContext context, ServerLocator locator)
    {
        _context = context;
        Locator = locator;
        _outage = new Outage(context);
        _http = new HttpMessageInvoker(
            new SocketsHttpHandler
            {
                UseProxy = false,
                UseCookies = false,
                AllowAutoRedirect = false,
                AutomaticDecompression = DecompressionMethods.None,
                ConnectTimeout = ConnectTimeout,
                ActivityHeadersPropagator = null,
                SslOptions = new SslClientAuthenticationOptions
                {
                    RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                        errors == SslPolicyErrors.None || IsKnown(certificate),
                },
            }
        );
    }

    public ServerLocator Locator { get; }

    /// <summary>True when the server that was last spoken with sees the same files as we do.</summary>
    public bool IsLocal => (Locator.Locate() ?? throw Locator.Unreachable(null)).IsLocal;

    /// <summary>From now on the server's absence is sat out.</summary>
    public void BePatient() => _outage.IsPatient = true;

    public void Dispose() => _http.Dispose();

    public Task<JsonElement> GetAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(ApiRequest.Get(path), cancellationToken);

    /// <summary>Sends, and reads a JSON answer whole. Errors: what the server refuses with; <c>server-unreachable</c>.</summary>
    public async Task<JsonElement> SendAsync(ApiRequest request, CancellationToken cancellationToken) =>
        await TryUntilAnsweredAsync(
                request,
                async (response, token) =>
                {
                    byte[] body = await response.Content.ReadAsByteArrayAsync(token).ConfigureAwait(false);
                    return body.Length == 0 ? default : JsonFields.Parse(body);
                },
                cancellationToken
            )
            .ConfigureAwait(false);

    /// <summary>
    /// Sends, and gives the answer as soon as its headers are here; the caller reads and disposes it. A break while reading is the caller's
    /// to mend.
    /// </summary>
    public Task<HttpResponseMessage> OpenAsync(ApiRequest request, CancellationToken cancellationToken) =>
        TryUntilAnsweredAsync(request, static (response, _) => Task.FromResult(response), cancellationToken);

    /// <summary>To be called when an opened answer has brought something.</summary>
    public void Progressed() => _outage.Ended();

    /// <summary>To be called when reading an opened answer broke; throws when the outage is not to be sat out.</summary>
    public async Task EndureAsync(Exception failure, CancellationToken cancellationToken)
    {
        if (!await _outage.EndureAsync(Reason(failure), cancellationToken).ConfigureAwait(false))
        {
            throw Locator.Unreachable(Reason(failure));
        }
    }

    /// <summary>True for what a dying connection throws, as against a fault of ours.</summary>
    public static bool IsBreak(Exception error) => error is HttpRequestException or IOException or TimeoutException;

    private async Task<T> TryUntilAnsweredAsync<T>(
        ApiRequest request,
        Func<HttpResponseMessage, CancellationToken, Task<T>> read,
        CancellationToken cancellationToken
    )
    {
        long start = _context.Time.GetTimestamp();
        bool isAnnounced = false;
        while (true)
        {
            string why;
            try
            {
                if (Locator.Locate() is { } address)
                {
                    (bool isReady, T? answer) = await TryAsync(address, request, read, cancellationToken).ConfigureAwait(false);
                    _outage.Opened();
                    if (isReady)
                    {
                        if (answer is not HttpResponseMessage)
                        {
                            _outage.Ended();
                        }

                        return answer!;
                    }

                    isAnnounced |= await PauseForRecoveryAsync(start, isAnnounced, cancellationToken).ConfigureAwait(false);
                    continue;
                }

                why = "there is no living server";
            }
            catch (Exception failure) when (IsBreak(failure))
            {
                why = Reason(failure);
                if (!WasNotSent(failure))
                {
                    _outage.Met();
                }

                if (!request.IsRepeatable && !WasNotSent(failure))
                {
                    throw new RefusedException(
                        ErrorCodes.ServerUnreachable,
                        $"The server went away ({why}) before it answered, so whether it did this is not known. Look before you ask again."
                    );
                }
            }

            if (!await _outage.EndureAsync(why, cancellationToken).ConfigureAwait(false))
            {
                throw Locator.Unreachable(Locator.IsByDataDirectory && why == "there is no living server" ? null : why);
            }
        }
    }

    /// <summary>One try. Not ready: the server is recovering or stopping, and asks to be asked again.</summary>
    private async Task<(bool IsReady, T? Answer)> TryAsync<T>(
        ServerAddress address,
        ApiRequest request,
        Func<HttpResponseMessage, CancellationToken, Task<T>> read,
        CancellationToken cancellationToken
    )
    {
        using var patience = new CancellationTokenSource(AnswerTimeout + request.ServerTime, _context.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        HttpResponseMessage? response = null;
        try
        {
            using HttpRequestMessage message = Message(address, request);
            response = await _http.SendAsync(message, either.Token).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
            {
                T answer = await read(response, either.Token).ConfigureAwait(false);
                if (ReferenceEquals(answer, response))
                {
                    response = null; // The caller's now.
                }

                return (true, answer);
            }

            RefusedException refusal = await Problem.ReadAsync(response, address.Url, either.Token).ConfigureAwait(false);
            return refusal.Code switch
            {
                ErrorCodes.Recovering => (false, default(T)),
                ErrorCodes.ServerStopping => throw new IOException("it is stopping"),
                _ => throw refusal,
            };
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException("it does not answer in time");
        }
        catch (JsonException)
        {
            throw new RefusedException(
                ErrorCodes.ServerUnreachable,
                $"{address.Url} answers, but not in JSON. See that the address is a Holdfast server's."
            );
        }
        finally
        {
            response?.Dispose();
        }
    }

    /// <summary>
    /// The very certificate that the data directory names is good enough, though nobody else vouches for it and it is made out to another
    /// name than 127.0.0.1.
    /// </summary>
    private bool IsKnown(X509Certificate? certificate) =>
        Locator.Locate()?.CertificateSha256 is { } sha256
        && string.Equals(certificate?.GetCertHashString(HashAlgorithmName.SHA256), sha256, StringComparison.OrdinalIgnoreCase);

    private static HttpRequestMessage Message(ServerAddress address, ApiRequest request)
    {
        var message = new HttpRequestMessage(request.Method, $"{address.Url}/{request.Path}");
        if (address.Token is { } token)
        {
            _ = message.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        }

        if (request.IdempotencyKey is { } key)
        {
            _ = message.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        }

        if (request.OpenBody is { } open)
        {
            message.Content = new StreamContent(open()) { Headers = { ContentType = MediaTypeHeaderValue.Parse(request.ContentType) } };
        }
        else if (request.Body is { } body)
        {
            message.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(request.ContentType) } };
        }

        return message;
    }

    private async Task<bool> PauseForRecoveryAsync(long start, bool isAnnounced, CancellationToken cancellationToken)
    {
        TimeSpan waited = _context.Time.GetElapsedTime(start);
        if (waited > (_outage.IsPatient ? _context.Patience : RecoveryPatience))
        {
            throw new RefusedException(
                ErrorCodes.Recovering,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The server is still recovering after {Durations.Format(waited)}. `holdfast recovery` shows how far it is."
                )
            );
        }

        // Its Retry-After is whole seconds, made for strangers; a recovery takes a tenth of one.
        bool announces = !isAnnounced && waited > RecoverySilence;
        if (announces)
        {
            _context.Terminal.WriteErrorLine("holdfast: the server is recovering; waiting for it");
        }

        await Task.Delay(RecoveryPause, _context.Time, cancellationToken).ConfigureAwait(false);
        return announces;
    }

    private static bool WasNotSent(Exception failure) =>
        failure
            is HttpRequestException
            {
                HttpRequestError: HttpRequestError.ConnectionError
                    or HttpRequestError.NameResolutionError
                    or HttpRequestError.SecureConnectionError
            };

    private static string Reason(Exception failure) =>
        failure switch
        {
            HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError, InnerException: { } cause } =>
                cause.Message.ToLowerInvariant(),
            HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => "the name of its host is not known",
            HttpRequestException { InnerException: { } cause } => cause.Message,
            _ => failure.Message,
        };
}
