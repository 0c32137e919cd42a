using Holdfast.SystemTests.Serving;

namespace Holdfast.Soak;

/// <summary>
/// The server under fire, for many callers at once: a question that finds it dead waits until whoever killed it has started it again, and
/// is then asked anew. Only the mischief kills and starts it.
/// </summary>
internal sealed class House : IStubbornCaller, IDisposable
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromMinutes(3);
    private readonly List<double> _startMs = []; // guarded by itself
    private readonly CancellationTokenSource _abandoned;
    private volatile TaskCompletionSource _up = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public House(TestServer server, CancellationToken abandoned) =>
        (Server, _abandoned) = (server, CancellationTokenSource.CreateLinkedTokenSource(abandoned));

    public TestServer Server { get; }

    /// <summary>From the start of the process to its being ready, each time, in order of length.</summary>
    public double[] StartMilliseconds
    {
        get
        {
            lock (_startMs)
            {
                return [.. _startMs.Order()];
            }
        }
    }

    /// <summary>How long the latest start took.</summary>
    public TimeSpan LatestStart { get; private set; }

    /// <summary>Since when the present server has been ready; null while there is none.</summary>
    public long? UpSince { get; private set; }

    /// <summary>Waits until there is a server to ask.</summary>
    public Task UpAsync() => _up.Task.WaitAsync(AnswerPatience, TimeProvider.System, _abandoned.Token);

    public async Task StartAsync()
    {
        long start = TimeProvider.System.GetTimestamp();
        await Server.StartAgainAsync();
        LatestStart = TimeProvider.System.GetElapsedTime(start);
        lock (_startMs)
        {
            _startMs.Add(LatestStart.TotalMilliseconds);
        }

        UpSince = TimeProvider.System.GetTimestamp();
        _up.TrySetResult();
    }

    public async Task KillAsync()
    {
        Close();
        await Server.KillAsync();
    }

    /// <summary>SIGTERM, and its exit code.</summary>
    public async Task<int> StopAsync()
    {
        Close();
        return await Server.StopAsync();
    }

    /// <summary>Nobody will start it again: whoever waits for it need not.</summary>
    public void Abandon() => _abandoned.Cancel();

    public void Dispose() => _abandoned.Dispose();

    public async Task<T> PersistAsync<T>(Func<RestClient, Task<T>> ask)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            await UpAsync();
            Task up = _up.Task;
            string why;
            try
            {
                T answer = await ask(Server.Rest);
                if (answer is not RestReply { Status: 503 })
                {
                    return answer;
                }

                why = "503";
            }
            catch (Exception e)
                when (e
                        is HttpRequestException
                            or System.Net.Sockets.SocketException
                            or IOException
                            or ObjectDisposedException
                            or OperationCanceledException
                            or UnexpectedAnswerException { Status: 503 }
                )
            {
                why = e.Message;
            }

            // Killed under the question, which the killer says before the sockets do; anything else is asked again.
            if (ReferenceEquals(up, _up.Task) && up.IsCompleted && Server.HasDied)
            {
                throw new ServerDiedException("The server ended without being killed.");
            }

            if (TimeProvider.System.GetElapsedTime(start) > AnswerPatience)
            {
                throw new TimeoutException($"A question had no answer for {AnswerPatience.TotalMinutes} minutes; the last try: {why}");
            }

            await Task.Delay(LookAgain, TimeProvider.System, _abandoned.Token);
        }
    }

    /// <summary>Waits until an execution is over, however often the server dies over it.</summary>
    public async Task<ExecutionReply> EndOfAsync(string id)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            RestReply reply = await PersistAsync(rest => rest.GetAsync($"/v1/executions/{id}/wait?timeoutSeconds=20"));
            if (reply.Status == 200)
            {
                return reply.Execution;
            }

            if (reply.Status != 202 || TimeProvider.System.GetElapsedTime(start) > AnswerPatience)
            {
                throw new TimeoutException($"{id} did not end: {reply.Status} {reply.Text}");
            }
        }
    }

    private void Close()
    {
        UpSince = null;
        if (_up.Task.IsCompleted) // Else whoever waits already waits for the next one that is ready.
        {
            _up = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
