using Holdfast.Engine.Feed;
using Holdfast.Engine.Store;
using Holdfast.Protocol;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Assets;

/// <summary>
/// Deletes assets whose lease has expired and which nothing refers to, in two steps: 1. such ones are marked; 2. a grace later, in one
/// transaction, lease and references are looked at again, in that order, and the row goes, and after the commit the file, by way of the
/// trash. Whoever renews or refers in between has rescued it. A crash within 2 leaves a file without a row, which the sweep for orphans
/// finds.
/// </summary>
public sealed partial class CollectAssets : IDisposable
{
    private readonly StateStore _store;
    private readonly FeedLog _feed;
    private readonly AssetFolder _folder;
    private readonly NotebookAssets _notebooks;
    private readonly AssetOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Turnstile _one = new();

    /// <summary>When each marked asset was first seen so by this server, by the clock that cannot jump; guarded by _one.</summary>
    private readonly Dictionary<AssetHash, long> _seenMarked = [];

    internal CollectAssets(
        StateStore store,
        FeedLog feed,
        AssetFolder folder,
        NotebookAssets notebooks,
        AssetOptions options,
        TimeProvider time,
        ILogger logger
    ) => (_store, _feed, _folder, _notebooks, _options, _time, _logger) = (store, feed, folder, notebooks, options, time, logger);

    /// <summary>How many were deleted.</summary>
    public Task<int> RunAsync(CancellationToken cancellationToken) => _one.RunAsync(CollectAsync, cancellationToken);

    private async Task<int> CollectAsync(CancellationToken cancellationToken)
    {
        await DropStaleAsync(await _notebooks.FindStaleAsync(isDryRun: false, cancellationToken));
        long now = _time.NowMicroseconds();
        _ = await _store.WriteAsync(transaction => AssetsTable.Mark(transaction, now), cancellationToken);
        List<Asset> marked = _store.Read(AssetsTable.Marked);
        Forget(marked);
        var due = marked.FindAll(asset => IsOver(asset.Hash));
        List<Asset> deleted = await DeleteAsync(due, cancellationToken);
        if (deleted.Count > 0)
        {
            Log.Collected(_logger, deleted.Count, deleted.Sum(static a => a.Size));
        }

        return deleted.Count;
    }

    internal async Task DropStaleAsync(List<NotebookAssets.Stale> stale)
    {
        if (stale.Count > 0)
        {
            long now = _time.NowMicroseconds();
            await _store.WriteAsync(transaction => stale.ForEach(s => NotebookAssets.Drop(transaction, s, now)), CancellationToken.None);
        }
    }

    /// <summary>The second step, for each that is still to go; those that did.</summary>
    internal async Task<List<Asset>> DeleteAsync(List<Asset> assets, CancellationToken cancellationToken)
    {
        var deleted = new List<Asset>();
        foreach (Asset asset in assets)
        {
            using IDisposable turn = await _folder.TakeTurnAsync(cancellationToken);
            if (
                !await _store.WriteAsync(
                    transaction => AssetsTable.Delete(transaction, asset.Hash, _time.NowMicroseconds()),
                    cancellationToken
                )
            )
            {
                continue;
            }

            CrashPoints.Reach(CrashPoint.ServerAssetForgotten);
            deleted.Add(asset);
            try
            {
                _folder.Remove(asset.Hash);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Log.NotRemoved(_logger, asset.Hash.Value, e); // The sweep for orphans finds it.
            }
        }

        if (deleted.Count > 0)
        {
            await _store.WriteAsync(
                transaction =>
                    _feed.Append(
                        transaction,
                        "assets.collected",
                        "assets",
                        writer =>
                        {
                            writer.WriteNumber("count", deleted.Count);
                            writer.WriteNumber("bytes", deleted.Sum(static a => a.Size));
                        }
                    ),
                CancellationToken.None
            );
        }

        return deleted;
    }

    private bool IsOver(AssetHash hash)
    {
        if (_seenMarked.TryGetValue(hash, out long since))
        {
            return _time.GetElapsedTime(since) >= _options.Grace;
        }

        _seenMarked[hash] = _time.GetTimestamp();
        return false;
    }

    /// <summary>One that was rescued begins anew when it is marked again.</summary>
    private void Forget(List<Asset> marked)
    {
        HashSet<AssetHash> still = [.. marked.Select(static a => a.Hash)];
        foreach (AssetHash hash in _seenMarked.Keys.Where(h => !still.Contains(h)).ToList())
        {
            _seenMarked.Remove(hash);
        }
    }

    public void Dispose() => _one.Dispose();

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.AssetsCollected,
            LogLevel.Information,
            "Deleted {Count} assets ({Bytes} bytes) that nothing needed any more."
        )]
        public static partial void Collected(ILogger logger, int count, long bytes);

        [LoggerMessage(
            EventIds.AssetNotRemoved,
            LogLevel.Warning,
            "The file of asset {Hash}, which nothing needed any more, could not be removed; the sweep for orphans tries again."
        )]
        public static partial void NotRemoved(ILogger logger, string hash, Exception exception);
    }
}
