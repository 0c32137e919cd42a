using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Assets;

/// <summary>Looks now and then for assets that nothing needs any more.</summary>
internal sealed partial class AssetKeeper(CollectAssets collect, AssetOptions options, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private readonly Recurring _looks = new(options.Interval, collect.RunAsync, e => Log.Failed(logger, e), time);

    public void Start() => _looks.Start();

    public async ValueTask DisposeAsync()
    {
        await _looks.DisposeAsync();
        collect.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.AssetCollectionFailed,
            LogLevel.Error,
            "Assets that nothing needs any more could not be collected; it is tried again."
        )]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
