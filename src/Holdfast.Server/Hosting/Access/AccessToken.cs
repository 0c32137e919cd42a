using System.Security.Cryptography;
using System.Text;

namespace Holdfast.Server.Hosting.Access;

/// <summary>
/// The one secret of this server: compared in constant time, and never shown. Keys for other purposes are derived from it, so that a new
/// token ends all that hung on the old.
/// </summary>
internal sealed class AccessToken(string token)
{
    private const int CharactersMax = 512;
    private readonly byte[] _token = Encoding.UTF8.GetBytes(token);

    public bool IsMatch(ReadOnlySpan<char> given)
    {
        if (given.Length > CharactersMax)
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[CharactersMax * 3];
        int length = Encoding.UTF8.GetBytes(given, bytes);
        return CryptographicOperations.FixedTimeEquals(bytes[..length], _token);
    }

    public byte[] KeyFor(string purpose) => HMACSHA256.HashData(_token, Encoding.UTF8.GetBytes(purpose));
}
