using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Holdfast.Engine;

namespace Holdfast.Server.Hosting.Tls;

/// <summary>A certificate with its key and chain, read and checked, ready to be shown to clients.</summary>
internal sealed record TlsIdentity(SslStreamCertificateContext Context, string Sha256, DateTimeOffset Ends)
{
    /// <summary>Refused: tls-certificate-unusable, with the file and what is wrong with it.</summary>
    public static TlsIdentity Of(TlsFiles files, byte[] certificate, byte[] key, DateTimeOffset now)
    {
        string pem = Encoding.UTF8.GetString(certificate);
        X509Certificate2 leaf;
        var chain = new X509Certificate2Collection();
        try
        {
            leaf = X509Certificate2.CreateFromPem(pem, Encoding.UTF8.GetString(key));
            chain.ImportFromPem(pem);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw Unusable($"{files.Certificate} and {files.Key} are not a certificate and its key: {e.Message}");
        }

        if (leaf.NotAfter.ToUniversalTime() <= now.UtcDateTime)
        {
            throw Unusable($"{files.Certificate} expired on {Day(leaf.NotAfter)}. Renew it.");
        }

        if (leaf.NotBefore.ToUniversalTime() > now.UtcDateTime)
        {
            throw Unusable($"{files.Certificate} is not valid before {Day(leaf.NotBefore)}. See that the clock of this machine is right.");
        }

        if (chain.Count > 0)
        {
            chain.RemoveAt(0); // The leaf itself.
        }

        return new TlsIdentity(
            SslStreamCertificateContext.Create(leaf, chain, offline: true),
            leaf.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant(),
            leaf.NotAfter.ToUniversalTime()
        );
    }

    public static RefusedException Unusable(string sentence) => new(ErrorCodes.TlsCertificateUnusable, sentence);

    private static string Day(DateTime time) => time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
