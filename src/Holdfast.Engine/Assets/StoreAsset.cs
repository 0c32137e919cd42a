using Holdfast.Engine.Feed;
using Holdfast.Engine.Retention;
using Holdfast.Engine.Store;
using Holdfast.Protocol;

namespace Holdfast.Engine.Assets;

/// <summary>How something is to be kept.</summary>
public sealed record AssetToStore(string MediaType)
{
    /// <summary>Refer to it from the moment it is there.</summary>
    public IReadOnlyList<AssetReference> References { get; init; } = [];

    /// <summary>Default: as configured.</summary>
    public TimeSpan? Lease { get; init; }

    /// <summary>What it must turn out to be.</summary>
    public AssetHash? Expected { get; init; }

    /// <summary>How long it will be, when that is known beforehand.</summary>
    public long? Length { get; init; }

    /// <summary>Output of work that was accepted is kept whatever the quota says.</summary>
    public bool IsOutput { get; init; }
}

/// <summary>What was stored, or was there already.</summary>
public sealed record StoredAsset(Asset Asset, bool IsNew);

/// <summary>
/// Keeps bytes under their hash: file first, then row, references and lease in one transaction, so that whoever holds a hash that was
/// answered holds something that is there. The same bytes again cost no space and renew the lease. Refused: asset-quota-exceeded,
/// asset-hash-mismatch, disk-full, invalid-request.
/// </summary>
public sealed class StoreAsset
{
    private const int PieceBytes = 1 << 20;
    private const int MediaTypeMax = 255;

    private readonly StateStore _store;
    private readonly FeedLog _feed;
    private readonly AssetFolder _folder;
    private readonly AssetQuota _quota;
    private readonly AssetOptions _options;
    private readonly string _host;
    private readonly TimeProvider _time;

    internal StoreAsset(
        StateStore store,
        FeedLog feed,
        AssetFolder folder,
        AssetQuota quota,
        AssetOptions options,
        string host,
        TimeProvider time
    ) => (_store, _feed, _folder, _quota, _options, _host, _time) = (store, feed, folder, quota, options, host, time);

    internal SpaceGuard? Space { get; init; }

    public async Task<StoredAsset> RunAsync(Stream content, AssetToStore wanted, CancellationToken cancellationToken)
    {
        Check(wanted);
        await using AssetDraft draft = Begin(wanted);
        long room = wanted.IsOutput ? long.MaxValue : _quota.Left ?? long.MaxValue;
        byte[] piece = new byte[PieceBytes];
        while (await content.ReadAsync(piece, cancellationToken) is > 0 and var length)
        {
            await draft.WriteAsync(piece.AsMemory(0, length), cancellationToken);
            if (draft.Length > room)
            {
                _store.Read(reader =>
                {
                    _quota.ThrowIfOver(reader, draft.Length);
                    return true;
                });
            }
        }

        StoredAsset stored = await KeepAsync(draft, wanted, cancellationToken);
        Actor.Does(nameof(StoreAsset), stored.Asset.Hash.Value);
        return stored;
    }

    public async Task<StoredAsset> RunAsync(ReadOnlyMemory<byte> content, AssetToStore wanted, CancellationToken cancellationToken)
    {
        Check(wanted);
        await using AssetDraft draft = Begin(wanted with { Length = content.Length });
        await draft.WriteAsync(content, cancellationToken);
        return await KeepAsync(draft, wanted, cancellationToken);
    }

    private static void Check(AssetToStore wanted)
    {
        if (
            wanted.MediaType.Length > MediaTypeMax
            || !wanted.MediaType.Contains('/', StringComparison.Ordinal)
            || wanted.MediaType.Any(static c => c is < ' ' or > '~')
        )
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, "The content type must look like 'image/png'.");
        }

        if (wanted.Lease is { } lease && (lease < TimeSpan.Zero || lease > AssetOptions.LeaseMax))
        {
            throw RenewLease.Invalid();
        }
    }

    private AssetDraft Begin(AssetToStore wanted)
    {
        if (!wanted.IsOutput)
        {
            Space?.ThrowIfFull();
            _store.Read(reader =>
            {
                _quota.ThrowIfOver(reader, wanted.Length ?? 1);
                return true;
            });
        }

        return _folder.Begin();
    }

    /// <summary>
    /// From the taking of the turn on the caller's token is not honoured: a file is in its place, and is to have its row.
    /// </summary>
    private async Task<StoredAsset> KeepAsync(AssetDraft draft, AssetToStore wanted, CancellationToken cancellationToken)
    {
        AssetHash hash = draft.Finish();
        if (wanted.Expected is { } expected && expected != hash)
        {
            throw new RefusedException(
                ErrorCodes.AssetHashMismatch,
                $"What came is {hash} and not {expected}: it was changed or cut short on its way. Send it again."
            );
        }

        using IDisposable turn = await _folder.TakeTurnAsync(cancellationToken);
        if (_folder.SizeOf(hash) != draft.Length)
        {
            try
            {
                _folder.Place(draft, hash); // Also over one that was cut short by whatever.
            }
            catch (IOException e)
            {
                throw AssetDraft.AsRefusal(e);
            }
        }

        StoredAsset stored = await _store.WriteAsync(
            transaction => Commit(transaction, hash, draft.Length, wanted),
            CancellationToken.None
        );
        CrashPoints.Reach(CrashPoint.ServerAssetStored);
        return stored;
    }

    private StoredAsset Commit(StoreTransaction transaction, AssetHash hash, long length, AssetToStore wanted)
    {
        if (!wanted.IsOutput && AssetsTable.Find(transaction, hash) is null)
        {
            _quota.ThrowIfOver(transaction, length); // Others may have come meanwhile.
        }

        long now = _time.NowMicroseconds();
        long until = now + ((wanted.Lease ?? _options.Lease).Ticks / TimeSpan.TicksPerMicrosecond);
        bool isNew = AssetsTable.Put(transaction, new Asset(hash, length, wanted.MediaType, now, until), _host);
        foreach (AssetReference reference in wanted.References)
        {
            AssetsTable.Refer(transaction, hash, reference, now);
        }

        Asset asset = AssetsTable.Find(transaction, hash)!;
        if (isNew)
        {
            _feed.Append(
                transaction,
                "asset.stored",
                hash.Value,
                writer =>
                {
                    writer.WriteString("sha256", hash.Value);
                    writer.WriteNumber("size", length);
                    writer.WriteString("mediaType", wanted.MediaType);
                }
            );
        }

        return new StoredAsset(asset, isNew);
    }
}
