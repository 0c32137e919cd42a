using Holdfast.Engine.Store;

namespace Holdfast.Engine.Assets;

/// <summary>An asset opened for reading. It can be read to its end even when it is deleted meanwhile.</summary>
public sealed record OpenedAsset(Asset Asset, FileStream Stream) : IDisposable
{
    public void Dispose() => Stream.Dispose();
}

/// <summary>Opens an asset's bytes, which renews its lease. Refused: asset-not-found, asset-damaged.</summary>
public sealed class ReadAsset
{
    private readonly StateStore _store;
    private readonly AssetFolder _folder;
    private readonly AssetOptions _options;
    private readonly TimeProvider _time;

    internal ReadAsset(StateStore store, AssetFolder folder, AssetOptions options, TimeProvider time) =>
        (_store, _folder, _options, _time) = (store, folder, options, time);

    public async Task<OpenedAsset> OpenAsync(AssetHash hash, CancellationToken cancellationToken)
    {
        Asset asset = await RenewAsync(hash, cancellationToken);
        FileStream stream = _folder.Open(hash) ?? throw Damaged(hash, "its file is gone");
        if (stream.Length != asset.Size)
        {
            long length = stream.Length;
            await stream.DisposeAsync();
            throw Damaged(hash, $"its file has {length} bytes instead of {asset.Size}");
        }

        return new OpenedAsset(asset, stream);
    }

    /// <summary>A lease that was just renewed is left, unless its asset is about to be deleted.</summary>
    private async Task<Asset> RenewAsync(AssetHash hash, CancellationToken cancellationToken)
    {
        Asset asset = _store.Read(reader => AssetsTable.Find(reader, hash)) ?? throw GetAsset.NotFound(hash);
        long now = _time.NowMicroseconds();
        long lease = _options.Lease.Ticks / TimeSpan.TicksPerMicrosecond;
        if (asset.DeletingAt is null && _options.IsJustRenewed(asset.LeaseUntil, now))
        {
            return asset;
        }

        return await _store.WriteAsync(
            transaction =>
                AssetsTable.Renew(transaction, hash, now + lease) ? AssetsTable.Find(transaction, hash)! : throw GetAsset.NotFound(hash),
            cancellationToken
        );
    }

    private static RefusedException Damaged(AssetHash hash, string how) =>
        new(
            ErrorCodes.AssetDamaged,
            $"The asset {hash} cannot be given: {how}. Storing the same bytes again mends it: run the cell again, or upload it."
        );
}
