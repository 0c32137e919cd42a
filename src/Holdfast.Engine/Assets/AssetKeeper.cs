using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Assets;

/// <summary>Looks now and then for assets that nothing needs any more, beginning one interval after the start: a start has enough to do.</summary>
internal sealed partial class AssetKeeper(CollectAssets collect, AssetOptions options, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;

    public void Start()
    {
        if (_loop.IsCompleted)
        {
            _loop = RunAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
        _stopping.Dispose();
        collect.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(options.Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                try
                {
                    await collect.RunAsync(_stopping.Token);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    Log.Failed(logger, e); // This loop owns the collection; the next look tries again.
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
        [LoggerMessage(EventIds.AssetCollectionFailed, LogLevel.Error, "Assets that nothing needs any more could not be collected; it is tried again.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
