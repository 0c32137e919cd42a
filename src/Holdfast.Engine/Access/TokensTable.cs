using Holdfast.Engine.Store;

namespace Holdfast.Engine.Access;

/// <summary>The statements of the tokens table: names, scopes and hashes, never a token.</summary>
internal static class TokensTable
{
    private const string Columns = "id, name, scopes, created_at, created_by, expires_at, revoked_at, revoke_reason";

    public static void Insert(StoreTransaction transaction, ApiToken token, ReadOnlySpan<byte> hash)
    {
        using Statement insert = transaction
            .Prepare("INSERT INTO tokens (id, name, hash, scopes, created_at, created_by, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
            .Bind(1, token.Id)
            .Bind(2, token.Name)
            .Bind(3, hash)
            .Bind(4, (long)token.Scopes)
            .Bind(5, token.CreatedAt)
            .Bind(6, token.CreatedBy)
            .Bind(7, token.ExpiresAt);
        insert.Execute();
    }

    public static void Revoke(StoreTransaction transaction, string id, long at, string? reason)
    {
        using Statement update = transaction
            .Prepare("UPDATE tokens SET revoked_at = ?2, revoke_reason = ?3 WHERE id = ?1")
            .Bind(1, id)
            .Bind(2, at)
            .Bind(3, reason);
        update.Execute();
    }

    /// <summary>Those that ended long ago: they can let nobody in, and the audit trail has their names.</summary>
    public static void DeleteEnded(StoreTransaction transaction, long before)
    {
        using Statement delete = transaction
            .Prepare("DELETE FROM tokens WHERE min(ifnull(revoked_at, expires_at), ifnull(expires_at, revoked_at)) < ?1")
            .Bind(1, before);
        delete.Execute();
    }

    public static ApiToken? Find(StoreReader reader, string id) =>
        Read(reader.Prepare($"SELECT {Columns} FROM tokens WHERE id = ?1").Bind(1, id)).Select(static t => t.Token).FirstOrDefault();

    /// <summary>Newest first.</summary>
    public static List<ApiToken> All(StoreReader reader) =>
        Read(reader.Prepare($"SELECT {Columns} FROM tokens ORDER BY created_at DESC, id DESC")).ConvertAll(static t => t.Token);

    public static List<(ApiToken Token, byte[] Hash)> Good(StoreReader reader, long now) =>
        Read(
            reader.Prepare($"SELECT {Columns}, hash FROM tokens WHERE revoked_at IS NULL AND ifnull(expires_at, ?1 + 1) > ?1").Bind(1, now),
            withHash: true
        );

    private static List<(ApiToken Token, byte[] Hash)> Read(Statement select, bool withHash = false)
    {
        using (select)
        {
            var rows = new List<(ApiToken, byte[])>();
            while (select.Step())
            {
                var token = new ApiToken(select.Text(0), select.Text(1), (AccessScopes)select.Int64(2), select.Int64(3), select.Text(4))
                {
                    ExpiresAt = select.Int64OrNull(5),
                    RevokedAt = select.Int64OrNull(6),
                    RevokeReason = select.TextOrNull(7),
                };
                rows.Add((token, withHash ? select.Blob(8) : []));
            }

            return rows;
        }
    }
}
