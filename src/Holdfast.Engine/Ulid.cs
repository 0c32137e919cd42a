using System.Security.Cryptography;

namespace Holdfast.Engine;

/// <summary>
/// Identifiers that sort by time of creation: 48 bits of unix milliseconds and 80 random bits, in 26 characters of Crockford's base32,
/// lower-case. See the ULID specification; unguessable, since an id may be all that a follower holds.
/// </summary>
public static class Ulid
{
    public const int Length = 26;
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    private static readonly System.Buffers.SearchValues<char> Letters = System.Buffers.SearchValues.Create(Alphabet);

    public static string New(TimeProvider time) =>
        string.Create(
            Length,
            time.GetUtcNow().ToUnixTimeMilliseconds(),
            static (text, milliseconds) =>
            {
                for (int i = 9; i >= 0; i--)
                {
                    text[i] = Alphabet[(int)(milliseconds & 31)];
                    milliseconds >>= 5;
                }

                Span<byte> random = stackalloc byte[16];
                RandomNumberGenerator.Fill(random);
                for (int i = 0; i < 16; i++)
                {
                    text[10 + i] = Alphabet[random[i] & 31];
                }
            }
        );

    /// <summary>When it was made, in milliseconds since 1970. Only of what is well formed.</summary>
    public static long MillisecondsOf(string id)
    {
        long milliseconds = 0;
        foreach (char letter in id.AsSpan(0, 10))
        {
            milliseconds = (milliseconds << 5) | (uint)Alphabet.IndexOf(letter, StringComparison.Ordinal);
        }

        return milliseconds;
    }

    /// <summary>True for text of the right length and alphabet, so that an id can be part of a path without further thought.</summary>
    public static bool IsWellFormed(string text) => text.Length == Length && !text.AsSpan().ContainsAnyExcept(Letters);
}
