using Holdfast.Engine.Store;

namespace Holdfast.Engine.Access;

/// <summary>
/// Ends a token, by its id or the name of one that is good: when this returns, nobody is let in by it, and connections that it opened are
/// cut. Revoking twice changes nothing.
/// Errors: token-not-found, invalid-request for the data directory's own.
/// </summary>
public sealed class RevokeToken(StateStore store, TokenRing ring, TimeProvider time)
{
    private const int ReasonLengthMax = 1000;

    public async Task<ApiToken> RunAsync(string idOrName, string? reason, CancellationToken cancellationToken)
    {
        if (idOrName == ApiToken.MainId)
        {
            throw new RefusedException(
                ErrorCodes.InvalidRequest,
                "The data directory's own token cannot be revoked: delete its file and start the server again, which makes a new one."
            );
        }

        if (reason?.Length > ReasonLengthMax)
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, $"reason has at most {ReasonLengthMax} characters.");
        }

        long now = time.NowMicroseconds();
        ApiToken revoked = await store.WriteAsync(
            transaction =>
            {
                ApiToken token =
                    TokensTable.Find(transaction, idOrName)
                    ?? TokensTable.All(transaction).Find(t => t.Name == idOrName && t.IsGoodAt(now))
                    ?? throw new RefusedException(
                        ErrorCodes.TokenNotFound,
                        $"There is no token '{idOrName}'. `holdfast tokens` lists them."
                    );
                if (token.RevokedAt is not null)
                {
                    return token;
                }

                TokensTable.Revoke(transaction, token.Id, now, reason);
                AuditTable.Record(transaction, now, "RevokeToken", token.Id, reason is null ? token.Name : $"{token.Name}: {reason}");
                return token with { RevokedAt = now, RevokeReason = reason };
            },
            cancellationToken
        );
        ring.Remove(revoked.Id);
        return revoked;
    }
}
