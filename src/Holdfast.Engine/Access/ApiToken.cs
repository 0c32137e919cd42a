namespace Holdfast.Engine.Access;

/// <summary>A token, but for the token itself, of which only the hash is kept. Times are microseconds.</summary>
public sealed record ApiToken(string Id, string Name, AccessScopes Scopes, long CreatedAt, string CreatedBy)
{
    /// <summary>The data directory's own: it has all scopes, and ends only with its file.</summary>
    public const string MainId = "main";

    public long? ExpiresAt { get; init; }
    public long? RevokedAt { get; init; }
    public string? RevokeReason { get; init; }

    public bool IsGoodAt(long now) => RevokedAt is null && !(ExpiresAt <= now);

    public string StateAt(long now) =>
        RevokedAt is not null ? "revoked"
        : ExpiresAt <= now ? "expired"
        : "active";
}

/// <summary>
/// Whom a request comes from, proven by a token: what may be done, and until when. <see cref="Ended"/> is cancelled when the token is
/// revoked or expires.
/// </summary>
public sealed record Bearer(string TokenId, string Name, AccessScopes Scopes, CancellationToken Ended)
{
    public static readonly Bearer Main = new(ApiToken.MainId, ApiToken.MainId, AccessScopes.All, CancellationToken.None);

    /// <summary>Refused: forbidden-scope.</summary>
    public void Require(AccessScopes scope)
    {
        if ((Scopes & scope) != scope)
        {
            throw new RefusedException(
                ErrorCodes.ForbiddenScope,
                $"The token '{Name}' has the scopes {string.Join(", ", Scopes.List())}; this takes {string.Join(", ", scope.List())}. Ask whoever manages this server for another token."
            );
        }
    }
}
