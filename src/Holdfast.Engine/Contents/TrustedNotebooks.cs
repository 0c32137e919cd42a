using System.Security.Cryptography;

namespace Holdfast.Engine.Contents;

/// <summary>
/// Which notebooks are trusted, by the SHA-256 of their bytes: a notebook that anything else wrote is not. One empty file for each under
/// <c>trust/</c> in the data directory; losing one costs a person the click that trusts it again.
/// </summary>
public sealed class TrustedNotebooks(string folder)
{
    public static string HashOf(ReadOnlySpan<byte> notebook) => Convert.ToHexStringLower(SHA256.HashData(notebook));

    public bool Has(string hash) => File.Exists(PathOf(hash));

    public void Add(string hash)
    {
        string path = PathOf(hash);
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, []);
        }
    }

    private string PathOf(string hash) => Path.Combine(folder, hash[..2], hash);
}
