using Holdfast.Engine.Store;

namespace Holdfast.Engine.Assets;

/// <summary>
/// What notebooks refer to, by their files' own paths: noted, and renewed, when one is opened or saved here. A notebook that was changed or
/// moved by other means is looked at before anything that only it referred to may go.
/// </summary>
public sealed class NotebookAssets(StateStore store, AssetOptions options, TimeProvider time)
{
    private const long FileBytesMax = 1L << 30;

    /// <summary>A reference that its notebook's file no longer bears out.</summary>
    internal sealed record Stale(AssetHash Hash, string Path, long SeenAt, bool IsMissing, bool IsOver);

    /// <summary>To be called with a notebook's text as it is opened or has been saved.</summary>
    public async Task SeenAsync(string path, ReadOnlyMemory<byte> json)
    {
        HashSet<string> mentioned = AssetMentions.Find(json.Span);
        long now = time.NowMicroseconds();
        long lease = options.Lease.Ticks / TimeSpan.TicksPerMicrosecond;
        bool isNoted = store.Read(reader =>
            AssetsTable.ReferredBy(reader, AssetReferenceKind.Notebook, path) is var known
            && AssetsTable.KnownAmong(reader, mentioned).SetEquals(known)
            && known.All(hash =>
                AssetsTable.Find(reader, new AssetHash(hash)) is { DeletingAt: null } asset && options.IsJustRenewed(asset.LeaseUntil, now)
            )
        );
        if (!isNoted)
        {
            await store.WriteAsync(transaction => Note(transaction, path, mentioned, now, now + lease), CancellationToken.None);
        }
    }

    /// <summary>
    /// To be called before a file with this text is written: what it refers to is kept for it, beside what the file that it replaces refers
    /// to. Then comes <see cref="SeenAsync"/>.
    /// </summary>
    public async Task AboutToReferAsync(string path, ReadOnlyMemory<byte> json)
    {
        HashSet<string> mentioned = AssetMentions.Find(json.Span);
        if (mentioned.Count > 0)
        {
            await RenewAsync(path, mentioned, time.NowMicroseconds());
        }
    }

    /// <summary>A file or a folder has another name now.</summary>
    public Task MovedAsync(string from, string to) =>
        store.WriteAsync(
            transaction =>
            {
                using Statement update = transaction
                    .Prepare(
                        "UPDATE OR REPLACE asset_references SET subject = ?2 || substr(subject, length(?1) + 1), missing_at = NULL WHERE kind = 'notebook' AND (subject = ?1 OR substr(subject, 1, length(?1) + 1) = ?1 || '/')"
                    )
                    .Bind(1, from)
                    .Bind(2, to);
                update.Execute();
            },
            CancellationToken.None
        );

    /// <summary>
    /// Looks into the notebooks that alone keep an expired asset. One that still refers to it has its lease renewed, so that it is read
    /// once in a lease's time; those that do not are returned.
    /// </summary>
    internal async Task<List<Stale>> FindStaleAsync(bool isDryRun, CancellationToken cancellationToken)
    {
        long now = time.NowMicroseconds();
        var stale = new List<Stale>();
        foreach (
            IGrouping<string, (string Hash, string Path, long SeenAt, long? MissingAt)> notebook in store
                .Read(reader => Doubtful(reader, now))
                .GroupBy(static r => r.Path)
        )
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.Yield(); // Nobody waits for this; whoever waits for a thread goes first.
            bool isMissing = !File.Exists(notebook.Key);
            HashSet<string>? mentioned = isMissing ? [] : Read(notebook.Key);
            if (mentioned is null)
            {
                continue; // It cannot be read, which is no proof of anything.
            }

            long graceOver = now - (options.MissingNotebookGrace.Ticks / TimeSpan.TicksPerMicrosecond);
            stale.AddRange(
                notebook
                    .Where(r => !mentioned.Contains(r.Hash))
                    .Select(r => new Stale(new AssetHash(r.Hash), r.Path, r.SeenAt, isMissing, !isMissing || r.MissingAt < graceOver))
            );
            if (!isDryRun && mentioned.Count > 0)
            {
                await RenewAsync(notebook.Key, notebook.Where(r => mentioned.Contains(r.Hash)).Select(static r => r.Hash), now);
            }
        }

        return stale;
    }

    /// <summary>Takes away what is over, unless it was noted anew since; notes since when a notebook is missing.</summary>
    internal static void Drop(StoreTransaction transaction, Stale stale, long now)
    {
        using Statement change = stale.IsOver
            ? transaction.Prepare("DELETE FROM asset_references WHERE hash = ?1 AND kind = 'notebook' AND subject = ?2 AND seen_at = ?3")
            : transaction
                .Prepare(
                    "UPDATE asset_references SET missing_at = coalesce(missing_at, ?4) WHERE hash = ?1 AND kind = 'notebook' AND subject = ?2 AND seen_at = ?3"
                )
                .Bind(4, now);
        change.Bind(1, stale.Hash.Value).Bind(2, stale.Path).Bind(3, stale.SeenAt).Execute();
    }

    private static void Note(StoreTransaction transaction, string path, HashSet<string> mentioned, long now, long until)
    {
        foreach (string gone in AssetsTable.ReferredBy(transaction, AssetReferenceKind.Notebook, path).Except(mentioned))
        {
            AssetsTable.Release(transaction, new AssetHash(gone), new AssetReference(AssetReferenceKind.Notebook, path));
        }

        foreach (AssetHash hash in mentioned.Select(static h => new AssetHash(h)))
        {
            if (AssetsTable.Refer(transaction, hash, new AssetReference(AssetReferenceKind.Notebook, path), now))
            {
                AssetsTable.Renew(transaction, hash, until);
            }
        }
    }

    private Task RenewAsync(string path, IEnumerable<string> hashes, long now) =>
        store.WriteAsync(
            transaction =>
            {
                foreach (AssetHash hash in hashes.Select(static h => new AssetHash(h)))
                {
                    AssetsTable.Refer(transaction, hash, new AssetReference(AssetReferenceKind.Notebook, path), now);
                    AssetsTable.Renew(transaction, hash, now + (options.Lease.Ticks / TimeSpan.TicksPerMicrosecond));
                }
            },
            CancellationToken.None
        );

    /// <summary>References of notebooks to assets that are expired, and that nothing else refers to.</summary>
    private static List<(string Hash, string Path, long SeenAt, long? MissingAt)> Doubtful(StoreReader reader, long now)
    {
        using Statement select = reader
            .Prepare(
                "SELECT r.hash, r.subject, r.seen_at, r.missing_at FROM assets a JOIN asset_references r ON r.hash = a.hash WHERE a.lease_until < ?1 AND r.kind = 'notebook' "
                    + "AND NOT EXISTS (SELECT 1 FROM asset_references o WHERE o.hash = a.hash AND o.kind <> 'notebook') ORDER BY r.subject"
            )
            .Bind(1, now);
        var found = new List<(string Hash, string Path, long SeenAt, long? MissingAt)>();
        while (select.Step())
        {
            found.Add((select.Text(0), select.Text(1), select.Int64(2), select.Int64OrNull(3)));
        }

        return found;
    }

    private static HashSet<string>? Read(string path)
    {
        try
        {
            return new FileInfo(path).Length <= FileBytesMax ? AssetMentions.Find(File.ReadAllBytes(path)) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
