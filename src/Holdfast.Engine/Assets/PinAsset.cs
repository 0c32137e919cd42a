using Holdfast.Engine.Store;

namespace Holdfast.Engine.Assets;

/// <summary>
/// Keeps an asset for a client until it says otherwise, under a name that the client chooses. Refused: asset-not-found, invalid-request.
/// </summary>
public sealed class PinAsset(StateStore store, TimeProvider time)
{
    private const int NameMax = 200;

    public Task<Asset> RunAsync(AssetHash hash, string name, CancellationToken cancellationToken)
    {
        Actor.Does(nameof(PinAsset), hash.Value, name);
        AssetReference pin = Pin(name);
        return store.WriteAsync(
            transaction =>
                AssetsTable.Refer(transaction, hash, pin, time.NowMicroseconds())
                    ? AssetsTable.Find(transaction, hash)!
                    : throw GetAsset.NotFound(hash),
            cancellationToken
        );
    }

    /// <summary>The reference that a name is. Refused: invalid-request.</summary>
    public static AssetReference Pin(string name) =>
        name.Length is > 0 and <= NameMax
            ? new AssetReference(AssetReferenceKind.Pin, name)
            : throw new RefusedException(ErrorCodes.InvalidRequest, $"The name of a pin has from 1 to {NameMax} characters.");
}

/// <summary>Takes a client's pin away; the asset is then kept by its lease and its other references. Refused: asset-not-found.</summary>
public sealed class UnpinAsset(StateStore store)
{
    public Task<Asset> RunAsync(AssetHash hash, string name, CancellationToken cancellationToken)
    {
        Actor.Does(nameof(UnpinAsset), hash.Value, name);
        return store.WriteAsync(
            transaction =>
            {
                _ = AssetsTable.Release(transaction, hash, PinAsset.Pin(name));
                return AssetsTable.Find(transaction, hash) ?? throw GetAsset.NotFound(hash);
            },
            cancellationToken
        );
    }
}
