using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Recovery.Orphans;

/// <summary>Sweeps once soon after the supervisors are known, and then every few hours for as long as the server runs.</summary>
internal sealed partial class OrphanSweeper(SweepOrphans sweep, OrphanOptions options, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;

    /// <summary>Returns at once: a start waits for no sweep.</summary>
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
        sweep.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(options.Interval, time);
        try
        {
            await Task.Delay(options.StartDelay, time, _stopping.Token);
            do
            {
                try
                {
                    await sweep.RunAsync(isDryRun: false, _stopping.Token);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    Log.Failed(logger, e); // This loop owns the sweeps: the next one tries again.
                }
            }
            while (await timer.WaitForNextTickAsync(_stopping.Token));
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The server stops; what is left is found by the next one.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.OrphanSweepFailed, LogLevel.Error, "A sweep for what belongs to nobody failed; the next one tries again.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
