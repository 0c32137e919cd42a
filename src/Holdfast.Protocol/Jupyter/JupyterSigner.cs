using System.Security.Cryptography;

namespace Holdfast.Protocol.Jupyter;

/// <summary>
/// Jupyter's message signature: HMAC-SHA256 in lower-case hex over header, parent, metadata and content, in this order; buffers are not
/// covered. An empty key means an unsigned connection: an empty signature is made and any is accepted. Used by one thread.
/// </summary>
public sealed class JupyterSigner : IDisposable
{
    public const string Scheme = "hmac-sha256";
    public const int SignatureLength = 64;
    private readonly IncrementalHash? _hash;

    public JupyterSigner(ReadOnlySpan<byte> key) => _hash = key.IsEmpty ? null : IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);

    /// <summary>False when the connection has no key.</summary>
    public bool IsSigning => _hash is not null;

    /// <summary>Writes the signature; returns its length, 64 or 0.</summary>
    public int Sign(
        ReadOnlySpan<byte> header,
        ReadOnlySpan<byte> parent,
        ReadOnlySpan<byte> metadata,
        ReadOnlySpan<byte> content,
        Span<byte> signature
    )
    {
        if (_hash is null)
        {
            return 0;
        }

        _hash.AppendData(header);
        _hash.AppendData(parent);
        _hash.AppendData(metadata);
        _hash.AppendData(content);
        Span<byte> digest = stackalloc byte[SignatureLength / 2];
        _ = _hash.GetHashAndReset(digest);
        for (int i = 0; i < digest.Length; i++)
        {
            signature[2 * i] = Hex(digest[i] >> 4);
            signature[(2 * i) + 1] = Hex(digest[i] & 15);
        }

        return SignatureLength;
    }

    /// <summary>Compares in constant time, so that the key cannot be felt out by a process that can reach a tcp port.</summary>
    public bool Verify(
        ReadOnlySpan<byte> signature,
        ReadOnlySpan<byte> header,
        ReadOnlySpan<byte> parent,
        ReadOnlySpan<byte> metadata,
        ReadOnlySpan<byte> content
    )
    {
        if (_hash is null)
        {
            return true;
        }

        if (signature.Length != SignatureLength)
        {
            return false;
        }

        Span<byte> expected = stackalloc byte[SignatureLength];
        _ = Sign(header, parent, metadata, content, expected);
        return CryptographicOperations.FixedTimeEquals(expected, signature);
    }

    public void Dispose() => _hash?.Dispose();

    private static byte Hex(int nibble) => (byte)(nibble < 10 ? '0' + nibble : 'a' + nibble - 10);
}
