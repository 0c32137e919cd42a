using System.Globalization;
using Holdfast.Engine.Access;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Assets;

/// <summary>What a client says of itself when it has assets pruned.</summary>
/// <param name="Client">The name of its pins.</param>
/// <param name="References">All that it truly refers to; null when it says nothing of that, and then its pins stay as they are.</param>
public sealed record PruneRequest(string Client, IReadOnlyList<AssetHash>? References, bool IsDryRun);

/// <summary>An asset that is kept, and each reason for it.</summary>
public sealed record KeptAsset(Asset Asset, IReadOnlyList<string> Reasons);

/// <summary>What went, or would go, what stays and why, and what the client refers to and is not here.</summary>
public sealed record PruneResult(
    bool IsDryRun,
    IReadOnlyList<Asset> Deleted,
    IReadOnlyList<KeptAsset> Kept,
    IReadOnlyList<AssetHash> Missing
);

/// <summary>
/// Deletes at once, without the grace, what is expired and unreferenced, after the client has said what it truly refers to: that becomes
/// its pins, no more and no less. Nothing that is leased, or that anybody refers to, goes. A dry run changes nothing and answers the same.
/// </summary>
public sealed class PruneAssets
{
    private const int PageMax = 500;

    private readonly StateStore _store;
    private readonly CollectAssets _collect;
    private readonly NotebookAssets _notebooks;
    private readonly TimeProvider _time;

    internal PruneAssets(StateStore store, CollectAssets collect, NotebookAssets notebooks, TimeProvider time) =>
        (_store, _collect, _notebooks, _time) = (store, collect, notebooks, time);

    public async Task<PruneResult> RunAsync(PruneRequest request, CancellationToken cancellationToken)
    {
        AssetReference pin = PinAsset.Pin(request.Client);
        List<NotebookAssets.Stale> stale = await _notebooks.FindStaleAsync(request.IsDryRun, cancellationToken);
        HashSet<AssetHash>? wanted = request.References is null ? null : [.. request.References];
        if (!request.IsDryRun)
        {
            await _collect.DropStaleAsync(stale);
            if (wanted is not null)
            {
                await _store.WriteAsync(transaction => SetPins(transaction, pin, wanted, _time.NowMicroseconds()), cancellationToken);
            }
        }

        var kept = new List<KeptAsset>();
        var going = new List<Asset>();
        var overNotebooks = stale.Where(static s => s.IsOver).Select(static s => (s.Hash, s.Path)).ToHashSet();
        foreach (Asset asset in All(cancellationToken))
        {
            List<string> reasons = [.. Reasons(asset, pin, wanted, overNotebooks)];
            if (reasons.Count > 0)
            {
                kept.Add(new KeptAsset(asset, reasons));
            }
            else
            {
                going.Add(asset);
            }
        }

        Actor.Does(request.IsDryRun ? null : nameof(PruneAssets), "assets");
        if (!request.IsDryRun)
        {
            List<Asset> deleted = await _collect.DeleteAsync(going, cancellationToken);
            kept.AddRange(going.Except(deleted).Select(static a => new KeptAsset(a, ["It was renewed or referred to just now."])));
            going = deleted;
            await _store.WriteAsync(
                transaction =>
                    AuditTable.Record(
                        transaction,
                        _time.NowMicroseconds(),
                        nameof(PruneAssets),
                        "assets",
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{deleted.Count} asset(s) of {deleted.Sum(static a => a.Size)} bytes were deleted, {kept.Count} kept."
                        )
                    ),
                CancellationToken.None
            );
        }

        return new PruneResult(request.IsDryRun, going, kept, Missing(wanted));
    }

    private static void SetPins(StoreTransaction transaction, AssetReference pin, HashSet<AssetHash> wanted, long now)
    {
        foreach (string gone in AssetsTable.ReferredBy(transaction, pin.Kind, pin.Subject))
        {
            if (!wanted.Contains(new AssetHash(gone)))
            {
                AssetsTable.Release(transaction, new AssetHash(gone), pin);
            }
        }

        foreach (AssetHash hash in wanted)
        {
            AssetsTable.Refer(transaction, hash, pin, now);
        }
    }

    private IEnumerable<Asset> All(CancellationToken cancellationToken)
    {
        string after = "";
        while (_store.Read(reader => AssetsTable.List(reader, after, PageMax)) is { Count: > 0 } page)
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (Asset asset in page)
            {
                yield return asset;
            }

            after = page[^1].Hash.Value;
        }
    }

    private IEnumerable<string> Reasons(
        Asset asset,
        AssetReference pin,
        HashSet<AssetHash>? wanted,
        HashSet<(AssetHash, string)> overNotebooks
    )
    {
        if (asset.LeaseUntil >= _time.NowMicroseconds())
        {
            yield return $"Its lease runs until {UnixTime.Text(asset.LeaseUntil)}.";
        }

        if (wanted?.Contains(asset.Hash) == true)
        {
            yield return "You refer to it.";
        }

        foreach (AssetReference reference in asset.References)
        {
            // The client's own pins are what it says now.
            if (
                (reference == pin && wanted is not null)
                || (reference.Kind == AssetReferenceKind.Notebook && overNotebooks.Contains((asset.Hash, reference.Subject)))
            )
            {
                continue;
            }

            yield return reference.Kind switch
            {
                AssetReferenceKind.Execution => $"It is output of execution {reference.Subject}, which is still kept.",
                AssetReferenceKind.Notebook => $"The notebook {reference.Subject} refers to it.",
                _ => $"It is pinned by {reference.Subject}.",
            };
        }
    }

    private List<AssetHash> Missing(HashSet<AssetHash>? wanted)
    {
        if (wanted is null)
        {
            return [];
        }

        HashSet<string> known = _store.Read(reader => AssetsTable.KnownAmong(reader, wanted.Select(static h => h.Value)));
        return [.. wanted.Where(h => !known.Contains(h.Value)).OrderBy(static h => h.Value, StringComparer.Ordinal)];
    }
}
