using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Recovery.Orphans;

/// <summary>Sweeps once soon after the supervisors are known, and then every few hours for as long as the server runs.</summary>
internal sealed partial class OrphanSweeper(SweepOrphans sweep, OrphanOptions options, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly Recurring _sweeps = new(
        options.Interval,
        stopping => sweep.RunAsync(isDryRun: false, stopping),
        e => Log.Failed(logger, e),
        time
    );

    /// <summary>Returns at once: a start waits for no sweep.</summary>
    public void Start() => _sweeps.Start(options.StartDelay);

    public async ValueTask DisposeAsync()
    {
        await _sweeps.DisposeAsync();
        sweep.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.OrphanSweepFailed, LogLevel.Error, "A sweep for what belongs to nobody failed; the next one tries again.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
