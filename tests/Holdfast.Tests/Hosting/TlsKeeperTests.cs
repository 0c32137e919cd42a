using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Holdfast.Engine;
using Holdfast.Server.Hosting.Tls;
using Holdfast.Tests.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Holdfast.Tests.Hosting;

/// <summary>
/// Certificates: bad ones refused at the start, good ones taken up when they change, and never a good one given up for a bad.
/// </summary>
public sealed class TlsKeeperTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("holdfast-").FullName;
    private readonly FakeClock _clock = new();
    private readonly TlsFiles _files;

    public TlsKeeperTests() => _files = new TlsFiles(Path.Combine(_folder, "cert.pem"), Path.Combine(_folder, "key.pem"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_new_certificate_is_shown_from_the_next_handshake_on()
    {
        Write();
        TlsKeeper keeper = Keeper();
        string first = keeper.Sha256;
        var changes = new List<string>();
        keeper.Changed += changes.Add;
        Assert.Equal(first, keeper.Current().Sha256);
        Write();
        Assert.NotEqual(first, keeper.Current().Sha256);
        Assert.Equal([keeper.Sha256], changes);
        Assert.NotNull(keeper.Options().ServerCertificateContext);
    }

    [Theory]
    [InlineData("empty")]
    [InlineData("missing")]
    [InlineData("another key")]
    [InlineData("expired")]
    [InlineData("not yet")]
    public void A_bad_one_is_refused_at_the_start_and_later_leaves_the_good_one_in_use(string fault)
    {
        Write();
        TlsKeeper keeper = Keeper();
        string good = keeper.Sha256;
        Spoil(fault);

        RefusedException refused = Assert.Throws<RefusedException>(Keeper);
        Assert.Equal(ErrorCodes.TlsCertificateUnusable, refused.Code);
        Assert.Contains(fault == "another key" ? _files.Key : _files.Certificate, refused.Message, StringComparison.Ordinal);
        Assert.Equal(good, keeper.Current().Sha256);
        Assert.Equal(good, keeper.Current().Sha256);
        Write();
        Assert.NotEqual(good, keeper.Current().Sha256);
    }

    [Fact]
    public void One_that_will_soon_end_is_named_once_a_day_until_it_is_renewed()
    {
        Write(to: 15);
        var log = new RecordingLogger<TlsKeeper>();
        var keeper = new TlsKeeper(_files, _clock, log);
        Assert.Empty(log.Lines);

        _clock.Turn(TimeSpan.FromDays(2));
        _ = keeper.Current();
        _ = keeper.Current();
        Assert.Contains(_files.Certificate, Assert.Single(log.Lines), StringComparison.Ordinal);

        _clock.Turn(TimeSpan.FromDays(1));
        _ = keeper.Current();
        Assert.Equal(2, log.Lines.Count);

        Write(to: 90);
        _clock.Turn(TimeSpan.FromDays(1));
        _ = keeper.Current();
        Assert.DoesNotContain(log.Lines.Skip(2), line => line.Contains("ends at", StringComparison.Ordinal));
    }

    private TlsKeeper Keeper() => new(_files, _clock, NullLogger<TlsKeeper>.Instance);

    private void Spoil(string fault)
    {
        switch (fault)
        {
            case "empty":
                File.WriteAllText(_files.Certificate, "");
                break;
            case "missing":
                File.Delete(_files.Certificate);
                break;
            case "another key":
                File.WriteAllText(_files.Key, ECDsa.Create().ExportPkcs8PrivateKeyPem());
                break;
            case "expired":
                Write(from: -20, to: -1);
                break;
            default:
                Write(from: 1, to: 20);
                break;
        }
    }

    private void Write(int from = -1, int to = 30)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset now = _clock.GetUtcNow();
        using X509Certificate2 certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(
            now.AddDays(from),
            now.AddDays(to)
        );
        File.WriteAllText(_files.Certificate, certificate.ExportCertificatePem());
        File.WriteAllText(_files.Key, key.ExportPkcs8PrivateKeyPem());
    }
}
