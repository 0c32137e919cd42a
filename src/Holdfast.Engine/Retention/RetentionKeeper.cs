using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Retention;

/// <summary>Looks now and then for what is older than is kept, and how much room there is.</summary>
internal sealed partial class RetentionKeeper : IAsyncDisposable
{
    private readonly ApplyRetention _apply;
    private readonly Recurring _looks;

    public RetentionKeeper(ApplyRetention apply, SpaceGuard space, RetentionOptions options, TimeProvider time, ILogger logger)
    {
        var drift = new ClockDrift(time);
        _apply = apply;
        _looks = new Recurring(options.Interval, LookAsync, e => Log.Failed(logger, e), time);

        Task LookAsync(CancellationToken stopping)
        {
            _ = space.Look();
            if (drift.Look() is { } off)
            {
                Log.Waiting(logger, off);
                return Task.CompletedTask;
            }

            return apply.RunAsync(stopping);
        }
    }

    public void Start() => _looks.Start();

    public async ValueTask DisposeAsync()
    {
        await _looks.DisposeAsync();
        _apply.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.RetentionWaits,
            LogLevel.Warning,
            "The time of day was set by {Off}. Nothing is deleted by its age for a day; put the clock right if it is wrong."
        )]
        public static partial void Waiting(ILogger logger, TimeSpan off);

        [LoggerMessage(EventIds.RetentionFailed, LogLevel.Error, "What is older than is kept could not be deleted; it is tried again.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
