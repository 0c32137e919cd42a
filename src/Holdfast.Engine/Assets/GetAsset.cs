using Holdfast.Engine.Store;

namespace Holdfast.Engine.Assets;

/// <summary>What is known of one asset. Refused: asset-not-found.</summary>
public sealed class GetAsset(StateStore store)
{
    public Asset Run(AssetHash hash) => store.Read(reader => AssetsTable.Find(reader, hash)) ?? throw NotFound(hash);

    internal static RefusedException NotFound(AssetHash hash) =>
        new(
            ErrorCodes.AssetNotFound,
            $"There is no asset {hash}. Its lease may have run out while nothing referred to it; where it was a cell's output, running the cell again makes it again."
        );
}

/// <summary>Assets by their hashes, a page at a time, and what they take together.</summary>
public sealed class ListAssets(StateStore store)
{
    public const int LimitDefault = 100;
    public const int LimitMax = 1000;

    public IReadOnlyList<Asset> Run(string? after, int limit) => store.Read(reader => AssetsTable.List(reader, after ?? "", limit));

    public (long Count, long Bytes) Total() => store.Read(AssetsTable.Total);
}
