using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http.Headers;
using System.Threading.Channels;

namespace Holdfast.Server.Telemetry;

/// <summary>
/// Sends one signal's records to a collector, in batches, beside the work: a record is put down without waiting, and thrown away when too
/// many wait, for telemetry must never hold up what it tells of. What the collector may want later (429, 502, 503, 504, no connection) is
/// tried again for a while.
/// </summary>
internal sealed class OtlpSender<T> : IAsyncDisposable
{
    private const int WaitingMax = 8192;
    private const int BatchMax = 512;
    private const int TriesMax = 6;
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    private readonly Uri _address;
    private readonly OtlpOptions _options;
    private readonly Func<IReadOnlyList<T>, byte[]> _write;
    private readonly TimeProvider _time;
    private readonly Channel<T> _waiting = Channel.CreateBounded<T>(
        new BoundedChannelOptions(WaitingMax) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true }
    );
    private readonly CancellationTokenSource _stopping = new();
    private readonly HttpMessageInvoker _http = new(
        new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
        }
    );
    private readonly Task _loop;

    public OtlpSender(Uri address, OtlpOptions options, Func<IReadOnlyList<T>, byte[]> write, TimeProvider time)
    {
        (_address, _options, _write, _time) = (address, options, write, time);
        _loop = Task.Run(RunAsync);
    }

    public void Post(T record) => _ = _waiting.Writer.TryWrite(record);

    /// <summary>Sends what is left, for a moment.</summary>
    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.Complete();
        _stopping.CancelAfter(LastWords);
        await _loop;
        _stopping.Dispose();
        _http.Dispose();
    }

    private async Task RunAsync()
    {
        var batch = new List<T>(BatchMax);
        try
        {
            while (await _waiting.Reader.WaitToReadAsync(_stopping.Token))
            {
                if (!_waiting.Reader.Completion.IsCompleted)
                {
                    await _waiting
                        .Reader.Completion.WaitAsync(Gathering, _time, _stopping.Token)
                        .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }

                while (batch.Count < BatchMax && _waiting.Reader.TryRead(out T? record))
                {
                    batch.Add(record);
                }

                await SendAsync(_write(batch));
                batch.Clear();
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The server stops, and the collector does not take it in time.
        }
    }

    private async Task SendAsync(byte[] body)
    {
        TimeSpan pause = FirstPause;
        for (int tries = 1; ; tries++)
        {
            TimeSpan? wait = await TryAsync(body, pause);
            if (wait is null || tries == TriesMax)
            {
                return;
            }

            await Task.Delay(wait.Value, _time, _stopping.Token);
            pause *= 2;
        }
    }

    /// <summary>Null when it was taken, or is not wanted; else how long to wait.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The request disposes its content.")]
    private async Task<TimeSpan?> TryAsync(byte[] body, TimeSpan pause)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _address)
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };
        foreach ((string name, string value) in _options.Headers)
        {
            _ = request.Headers.TryAddWithoutValidation(name, value);
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        patience.CancelAfter(AnswerTimeout);
        try
        {
            using HttpResponseMessage response = await _http.SendAsync(request, patience.Token);
            return
                response.StatusCode
                    is HttpStatusCode.TooManyRequests
                        or HttpStatusCode.BadGateway
                        or HttpStatusCode.ServiceUnavailable
                        or HttpStatusCode.GatewayTimeout
                ? response.Headers.RetryAfter?.Delta ?? pause
                : null;
        }
        catch (Exception e)
            when (e is HttpRequestException or IOException || (e is OperationCanceledException && !_stopping.IsCancellationRequested))
        {
            return pause;
        }
    }
}
