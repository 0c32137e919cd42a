using System.Buffers.Text;
using System.Security.Cryptography;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Access;

/// <summary>What token somebody wants. Without an end it lasts until it is revoked.</summary>
public sealed record NewToken(string? Name, AccessScopes Scopes, TimeSpan? Life);

/// <summary>A new token, and its text, which is shown this once and kept nowhere.</summary>
public sealed record CreatedToken(ApiToken Token, string Text);

/// <summary>
/// Makes a token. Nobody gives more than he has. Only the hash is stored.
/// Errors: invalid-request, forbidden-scope, token-name-taken, disk-full.
/// </summary>
public sealed class CreateToken(StateStore store, TokenRing ring, TimeProvider time)
{
    private const int NameLengthMax = 64;
    private const int RandomBytes = 32;
    private const string Prefix = "hf_"; // So that scanners of repositories and logs can know one.
    private static readonly TimeSpan LifeMax = TimeSpan.FromDays(3653);
    private static readonly TimeSpan EndedKept = TimeSpan.FromDays(90);

    public async Task<CreatedToken> RunAsync(NewToken wanted, Bearer by, CancellationToken cancellationToken)
    {
        if (
            wanted.Name is not { Length: > 0 and <= NameLengthMax } name
            || name != name.Trim()
            || name.Any(char.IsControl)
            || name == ApiToken.MainId
        )
        {
            throw new RefusedException(
                ErrorCodes.InvalidRequest,
                $"name must have 1 to {NameLengthMax} characters, and not be 'main', which is the data directory's own token."
            );
        }

        if (wanted.Life is { } life && (life <= TimeSpan.Zero || life > LifeMax))
        {
            throw new RefusedException(
                ErrorCodes.InvalidRequest,
                "expiresInSeconds must be above 0 and at most ten years. Leave it out for a token that lasts until it is revoked."
            );
        }

        by.Require(wanted.Scopes);
        string text = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes));
        byte[] hash = TokenRing.HashOf(text);
        long now = time.NowMicroseconds();
        var token = new ApiToken(Ulid.New(time), name, wanted.Scopes, now, by.Name)
        {
            ExpiresAt = wanted.Life is { } lasts ? now + (long)lasts.TotalMicroseconds : null,
        };
        await store.WriteAsync(
            transaction =>
            {
                TokensTable.DeleteEnded(transaction, now - (long)EndedKept.TotalMicroseconds);
                if (TokensTable.All(transaction).Exists(t => t.Name == name && t.IsGoodAt(now)))
                {
                    throw new RefusedException(
                        ErrorCodes.TokenNameTaken,
                        $"There is a token '{name}' already. Revoke it first, or choose another name."
                    );
                }

                TokensTable.Insert(transaction, token, hash);
                AuditTable.Record(transaction, now, "CreateToken", token.Id, $"{name}: {string.Join(", ", wanted.Scopes.List())}");
            },
            cancellationToken
        );
        ring.Add(token, hash);
        return new CreatedToken(token, text);
    }
}
