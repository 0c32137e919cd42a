using Holdfast.Engine.Store;

namespace Holdfast.Engine.Assets;

/// <summary>The statements of assets and of the references to them.</summary>
internal static class AssetsTable
{
    private const string Columns = "a.hash, a.size, a.media_type, a.created_at, a.lease_until, a.deleting_at";
    private const string IsReferenced = "EXISTS (SELECT 1 FROM asset_references r WHERE r.hash = a.hash)";

    /// <summary>Adds it, or renews the lease of the one that is there already; false for that. A lease is never made shorter.</summary>
    public static bool Put(StoreTransaction transaction, Asset asset, string host)
    {
        if (Renew(transaction, asset.Hash, asset.LeaseUntil))
        {
            return false;
        }

        using Statement insert = transaction
            .Prepare("INSERT INTO assets (hash, size, media_type, host, created_at, lease_until) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
            .Bind(1, asset.Hash.Value)
            .Bind(2, asset.Size)
            .Bind(3, asset.MediaType)
            .Bind(4, host)
            .Bind(5, asset.CreatedAt)
            .Bind(6, asset.LeaseUntil);
        insert.Execute();
        return true;
    }

    /// <summary>Also takes back that it is to be deleted. False when there is no such asset.</summary>
    public static bool Renew(StoreTransaction transaction, AssetHash hash, long until)
    {
        using Statement update = transaction
            .Prepare("UPDATE assets SET lease_until = max(lease_until, ?2), deleting_at = NULL WHERE hash = ?1")
            .Bind(1, hash.Value)
            .Bind(2, until);
        return update.Execute() > 0;
    }

    /// <summary>
    /// Also takes back that it is to be deleted. False when there is no such asset, and then nothing refers to it either.
    /// </summary>
    public static bool Refer(StoreTransaction transaction, AssetHash hash, AssetReference reference, long at)
    {
        using (Statement rescue = transaction.Prepare("UPDATE assets SET deleting_at = NULL WHERE hash = ?1").Bind(1, hash.Value))
        {
            if (rescue.Execute() == 0)
            {
                return false;
            }
        }

        using Statement insert = transaction
            .Prepare(
                "INSERT INTO asset_references (hash, kind, subject, seen_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET seen_at = max(seen_at + 1, excluded.seen_at), missing_at = NULL"
            )
            .Bind(1, hash.Value)
            .Bind(2, reference.KindName)
            .Bind(3, reference.Subject)
            .Bind(4, at);
        insert.Execute();
        return true;
    }

    public static bool Release(StoreTransaction transaction, AssetHash hash, AssetReference reference)
    {
        using Statement delete = transaction
            .Prepare("DELETE FROM asset_references WHERE hash = ?1 AND kind = ?2 AND subject = ?3")
            .Bind(1, hash.Value)
            .Bind(2, reference.KindName)
            .Bind(3, reference.Subject);
        return delete.Execute() > 0;
    }

    /// <summary>All that one subject refers to.</summary>
    public static int ReleaseAll(StoreTransaction transaction, AssetReferenceKind kind, string subject)
    {
        using Statement delete = transaction
            .Prepare("DELETE FROM asset_references WHERE kind = ?1 AND subject = ?2")
            .Bind(1, AssetReference.NameOf(kind))
            .Bind(2, subject);
        return delete.Execute();
    }

    public static HashSet<string> ReferredBy(StoreReader reader, AssetReferenceKind kind, string subject)
    {
        using Statement select = reader
            .Prepare("SELECT hash FROM asset_references WHERE kind = ?1 AND subject = ?2")
            .Bind(1, AssetReference.NameOf(kind))
            .Bind(2, subject);
        var hashes = new HashSet<string>();
        while (select.Step())
        {
            hashes.Add(select.Text(0));
        }

        return hashes;
    }

    public static Asset? Find(StoreReader reader, AssetHash hash)
    {
        using Statement select = reader.Prepare($"SELECT {Columns} FROM assets a WHERE a.hash = ?1").Bind(1, hash.Value);
        return select.Step() ? WithReferences(reader, Read(select)) : null;
    }

    /// <summary>By hash, after the one named.</summary>
    public static List<Asset> List(StoreReader reader, string after, int limit)
    {
        using Statement select = reader
            .Prepare($"SELECT {Columns} FROM assets a WHERE a.hash > ?1 ORDER BY a.hash LIMIT ?2")
            .Bind(1, after)
            .Bind(2, limit);
        return ReadAll(select).ConvertAll(asset => WithReferences(reader, asset));
    }

    public static (long Count, long Bytes) Total(StoreReader reader)
    {
        using Statement select = reader.Prepare("SELECT count(*), coalesce(sum(size), 0) FROM assets");
        _ = select.Step();
        return (select.Int64(0), select.Int64(1));
    }

    public static HashSet<string> KnownAmong(StoreReader reader, IEnumerable<string> hashes)
    {
        var known = new HashSet<string>();
        using Statement select = reader.Prepare("SELECT 1 FROM assets WHERE hash = ?1");
        foreach (string hash in hashes)
        {
            if (select.Reset().Bind(1, hash).Step())
            {
                known.Add(hash);
            }
        }

        return known;
    }

    /// <summary>The first of two steps: what is expired and unreferenced is noted as about to be deleted.</summary>
    public static int Mark(StoreTransaction transaction, long now)
    {
        using Statement update = transaction
            .Prepare($"UPDATE assets AS a SET deleting_at = ?1 WHERE a.lease_until < ?1 AND a.deleting_at IS NULL AND NOT {IsReferenced}")
            .Bind(1, now);
        return update.Execute();
    }

    public static List<Asset> Marked(StoreReader reader)
    {
        using Statement select = reader.Prepare($"SELECT {Columns} FROM assets a WHERE a.deleting_at IS NOT NULL");
        return ReadAll(select);
    }

    /// <summary>
    /// The second step, with everything looked at again: first the lease, then the references. What is not to go after all is no longer
    /// about to.
    /// </summary>
    public static bool Delete(StoreTransaction transaction, AssetHash hash, long now)
    {
        if (Find(transaction, hash) is not { } asset)
        {
            return false;
        }

        if (asset.LeaseUntil >= now || asset.References.Count > 0)
        {
            using Statement rescue = transaction.Prepare("UPDATE assets SET deleting_at = NULL WHERE hash = ?1").Bind(1, hash.Value);
            rescue.Execute();
            return false;
        }

        using Statement delete = transaction.Prepare("DELETE FROM assets WHERE hash = ?1").Bind(1, hash.Value);
        return delete.Execute() > 0;
    }

    private static Asset WithReferences(StoreReader reader, Asset asset)
    {
        using Statement select = reader
            .Prepare("SELECT kind, subject FROM asset_references WHERE hash = ?1 ORDER BY kind, subject")
            .Bind(1, asset.Hash.Value);
        var references = new List<AssetReference>();
        while (select.Step())
        {
            references.Add(new AssetReference(AssetReference.KindOf(select.Text(0)), select.Text(1)));
        }

        return asset with
        {
            References = references,
        };
    }

    private static List<Asset> ReadAll(Statement select)
    {
        var assets = new List<Asset>();
        while (select.Step())
        {
            assets.Add(Read(select));
        }

        return assets;
    }

    private static Asset Read(Statement select) =>
        new(new AssetHash(select.Text(0)), select.Int64(1), select.Text(2), select.Int64(3), select.Int64(4))
        {
            DeletingAt = select.Int64OrNull(5),
        };
}
