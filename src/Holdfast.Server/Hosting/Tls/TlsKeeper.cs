using System.Net.Security;
using System.Security.Authentication;
using Holdfast.Engine;

namespace Holdfast.Server.Hosting.Tls;

/// <summary>
/// The certificate that is shown now. At each handshake the files are read, which costs little beside the handshake, and no change of them
/// is missed, however it was made; files that have become bad are reported once, and what was good stays in use. One that will soon end is
/// named in the log once a day.
/// </summary>
internal sealed partial class TlsKeeper
{
    /// <summary>So long before its end a certificate is spoken of.</summary>
    internal static readonly TimeSpan Soon = TimeSpan.FromDays(14);

    private readonly TlsFiles _files;
    private readonly TimeProvider _time;
    private readonly ILogger<TlsKeeper> _logger;
    private readonly Lock _turn = new(); // Guards the fields below.
    private byte[] _certificate;
    private byte[] _key;
    private TlsIdentity _identity;
    private DateTimeOffset _namedAt = DateTimeOffset.MinValue;

    /// <summary>Refused: tls-certificate-unusable.</summary>
    public TlsKeeper(TlsFiles files, TimeProvider time, ILogger<TlsKeeper> logger)
    {
        (_files, _time, _logger) = (files, time, logger);
        (_certificate, _key) = (Read(files.Certificate), Read(files.Key));
        _identity = TlsIdentity.Of(files, _certificate, _key, time.GetUtcNow());
        NameItsEnd();
    }

    /// <summary>Raised with the fingerprint of a certificate that has taken the place of another.</summary>
    public event Action<string>? Changed;

    /// <summary>SHA-256 of the certificate in use, in hexadecimal digits.</summary>
    public string Sha256
    {
        get
        {
            lock (_turn)
            {
                return _identity.Sha256;
            }
        }
    }

    public SslServerAuthenticationOptions Options() =>
        new() { ServerCertificateContext = Current().Context, EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 };

    internal TlsIdentity Current()
    {
        lock (_turn)
        {
            try
            {
                byte[] certificate = Read(_files.Certificate);
                byte[] key = Read(_files.Key);
                if (certificate.AsSpan().SequenceEqual(_certificate) && key.AsSpan().SequenceEqual(_key))
                {
                    return _identity;
                }

                (_certificate, _key) = (certificate, key); // Also when they are bad: reported once is enough.
                _identity = TlsIdentity.Of(_files, certificate, key, _time.GetUtcNow());
                Log.Reloaded(_logger, _identity.Sha256);
                Changed?.Invoke(_identity.Sha256);
            }
            catch (RefusedException e)
            {
                Log.NotReloaded(_logger, e.Message);
            }
            finally
            {
                NameItsEnd();
            }

            return _identity;
        }
    }

    private void NameItsEnd()
    {
        DateTimeOffset now = _time.GetUtcNow();
        if (_identity.Ends - now <= Soon && now - _namedAt >= TimeSpan.FromDays(1))
        {
            _namedAt = now;
            Log.Expires(_logger, _files.Certificate, _identity.Ends);
        }
    }

    private static byte[] Read(string file)
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw TlsIdentity.Unusable($"{file} cannot be read: {e.Message}");
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            ServerEventIds.CertificateReloaded,
            LogLevel.Information,
            "The certificate was replaced; clients are shown {Sha256} from now on."
        )]
        public static partial void Reloaded(ILogger logger, string sha256);

        [LoggerMessage(
            ServerEventIds.CertificateNotReloaded,
            LogLevel.Warning,
            "The certificate's files have changed, but cannot be used; the one from before stays in use. {Why}"
        )]
        public static partial void NotReloaded(ILogger logger, string why);

        [LoggerMessage(
            ServerEventIds.CertificateExpires,
            LogLevel.Warning,
            "{File} ends at {Ends:u}: clients will refuse it from then on. Renew it in its place; it is read anew by itself."
        )]
        public static partial void Expires(ILogger logger, string file, DateTimeOffset ends);
    }
}
