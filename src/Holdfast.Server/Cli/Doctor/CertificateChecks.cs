using System.Globalization;
using Holdfast.Engine;
using Holdfast.Engine.Store;
using Holdfast.Server.Hosting.Tls;

namespace Holdfast.Server.Cli.Doctor;

/// <summary>
/// Whether the certificate that the server shows can be used, and for how long yet, and whether others can read its key. The server goes on
/// with the last good one, so this may be where somebody hears first that the new one is not.
/// </summary>
internal static class CertificateChecks
{
    private const string Renew = "renew it in its place; the server reads it anew by itself";
    private const UnixFileMode ForAll = UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
    private const UnixFileMode Writable = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>Nothing where the server speaks no TLS, or is of a version that does not say where the files lie.</summary>
    public static IEnumerable<Finding> All(ServerRecord server, TimeProvider time)
    {
        if (server is { CertificateFile: { } certificate, CertificateKey: { } key })
        {
            yield return Certificate(new TlsFiles(certificate, key), server.CertificateSha256, time.GetUtcNow());
            if (File.Exists(key) && Mode(key) is { } finding)
            {
                yield return finding;
            }
        }
    }

    private static Finding Certificate(TlsFiles files, string? shown, DateTimeOffset now)
    {
        TlsIdentity identity;
        try
        {
            identity = TlsIdentity.Of(files, File.ReadAllBytes(files.Certificate), File.ReadAllBytes(files.Key), now);
        }
        catch (RefusedException refusal)
        {
            return Finding.Problem("tls", refusal.Message, Renew);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Finding.Problem("tls", e.Message, "put the file back, or let this user read it: the next start of the server needs it");
        }

        string ends = identity.Ends.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
        return identity.Ends - now <= TlsKeeper.Soon ? Finding.Warning("tls", $"{files.Certificate} ends at {ends}", Renew)
            : identity.Sha256 == shown ? Finding.Ok("tls", $"{files.Certificate}, good until {ends}")
            : Finding.Ok("tls", $"{files.Certificate}, good until {ends}; it was replaced, and the next client is shown it");
    }

    /// <summary>A group may read it: that is how systems keep keys for several servers.</summary>
    private static Finding? Mode(string key)
    {
        UnixFileMode mode = File.GetUnixFileMode(key);
        return (mode & (ForAll | Writable)) == 0
            ? null
            : Finding.Problem(
                "tls",
                (mode & UnixFileMode.OtherRead) != 0
                    ? $"{key} can be read by every user of this machine, who can then pass for this server"
                    : $"{key} can be replaced by other users",
                $"chmod o=,g-w {key}"
            );
    }
}
