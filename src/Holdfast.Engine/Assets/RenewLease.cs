using Holdfast.Engine.Store;

namespace Holdfast.Engine.Assets;

/// <summary>
/// Keeps an asset for some time from now on, also one that was about to be deleted. A lease is never made shorter: somebody else may count
/// on it. Refused: asset-not-found, invalid-request.
/// </summary>
public sealed class RenewLease(StateStore store, AssetOptions options, TimeProvider time)
{
    public Task<Asset> RunAsync(AssetHash hash, TimeSpan? lease, CancellationToken cancellationToken)
    {
        Actor.Does(nameof(RenewLease), hash.Value);
        TimeSpan wanted = lease ?? options.Lease;
        if (wanted < TimeSpan.Zero || wanted > AssetOptions.LeaseMax)
        {
            throw Invalid();
        }

        return store.WriteAsync(
            transaction =>
                AssetsTable.Renew(transaction, hash, time.NowMicroseconds() + (wanted.Ticks / TimeSpan.TicksPerMicrosecond))
                    ? AssetsTable.Find(transaction, hash)!
                    : throw GetAsset.NotFound(hash),
            cancellationToken
        );
    }

    public static RefusedException Invalid() =>
        new(
            ErrorCodes.InvalidRequest,
            $"A lease is from 0 to {(long)AssetOptions.LeaseMax.TotalSeconds} seconds. What is needed for longer is to be pinned: PUT /v1/assets/SHA256/pins/NAME."
        );
}
