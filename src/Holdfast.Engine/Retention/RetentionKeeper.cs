using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Retention;

/// <summary>Looks now and then for what is older than is kept, beginning one interval after the start: a start has enough to do.</summary>
internal sealed partial class RetentionKeeper(ApplyRetention apply, RetentionOptions options, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;

    public void Start() => _loop = RunAsync();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
        _stopping.Dispose();
        apply.Dispose();
    }

    private async Task RunAsync()
    {
        var drift = new ClockDrift(time);
        using var timer = new PeriodicTimer(options.Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                if (drift.Look() is { } off)
                {
                    Log.Waiting(logger, off);
                    continue;
                }

                try
                {
                    await apply.RunAsync(_stopping.Token);
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
        [LoggerMessage(EventIds.RetentionWaits, LogLevel.Warning, "The time of day was set by {Off}. Nothing is deleted by its age for a day; put the clock right if it is wrong.")]
        public static partial void Waiting(ILogger logger, TimeSpan off);

        [LoggerMessage(EventIds.RetentionFailed, LogLevel.Error, "What is older than is kept could not be deleted; it is tried again.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
