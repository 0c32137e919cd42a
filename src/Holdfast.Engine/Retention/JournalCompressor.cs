using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Retention;

/// <summary>Looks now and then for journals that are due to be compressed, beginning one interval after the start: a start has enough to do.</summary>
internal sealed partial class JournalCompressor(CompressJournals compress, RetentionOptions options, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan IntervalMax = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan IntervalMin = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;

    public void Start()
    {
        if (options.CompressAfter > TimeSpan.Zero)
        {
            _loop = RunAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
        _stopping.Dispose();
        compress.Dispose();
    }

    private async Task RunAsync()
    {
        // So that one waits for its turn a sixth longer at most.
        TimeSpan interval = options.CompressAfter / 6;
        using var timer = new PeriodicTimer(interval < IntervalMin ? IntervalMin : interval > IntervalMax ? IntervalMax : interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                try
                {
                    await compress.RunAsync(_stopping.Token);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    Log.Failed(logger, e); // This loop owns the care; the next look tries again.
                }
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The server stops.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.JournalCompressionFailed, LogLevel.Error, "Journals could not be compressed; it is tried again.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
