using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Retention;

/// <summary>
/// Looks now and then for journals that are due to be compressed: so often that one waits for its turn a sixth longer at most.
/// </summary>
internal sealed partial class JournalCompressor(CompressJournals compress, RetentionOptions options, TimeProvider time, ILogger logger)
    : IAsyncDisposable
{
    private static readonly TimeSpan IntervalMax = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan IntervalMin = TimeSpan.FromSeconds(1);

    private readonly Recurring _looks = new(
        TimeSpan.FromTicks(Math.Clamp((options.CompressAfter / 6).Ticks, IntervalMin.Ticks, IntervalMax.Ticks)),
        compress.RunAsync,
        e => Log.Failed(logger, e),
        time
    );

    public void Start()
    {
        if (options.CompressAfter > TimeSpan.Zero)
        {
            _looks.Start();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _looks.DisposeAsync();
        compress.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.JournalCompressionFailed, LogLevel.Error, "Journals could not be compressed; it is tried again.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
