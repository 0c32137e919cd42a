using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Holdfast.SystemTests.Cli;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Access;

/// <summary>A server that speaks TLS: its doors, our own command line, new certificates without a restart, and bad ones refused.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("holdfast-tls-").FullName;

    private string Certificate => Path.Combine(_folder, "cert.pem");
    private string Key => Path.Combine(_folder, "key.pem");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Every_door_is_behind_TLS_and_a_new_certificate_needs_no_restart()
    {
        string first = Write();
        await using TestServer server = TestServer.Prepare(
            new TestServerOptions { Arguments = ["--tls-cert", Certificate, "--tls-key", Key] }
        );
        server.Launch();
        await server.WaitUntilListeningAsync();
        var url = new Uri(server.Rest.Url);
        Assert.Equal("https", url.Scheme);
        await Patience.UntilAsync(async () => await AskAsync(url, server.Rest.Token) == (200, first), "it answered with its certificate");
        await Assert.ThrowsAnyAsync<HttpRequestException>(async () =>
        {
            using var plain = new HttpClient();
            await plain.GetStringAsync(new UriBuilder(url) { Scheme = "http" }.Uri, TestContext.Current.CancellationToken);
        });

        string job = await CliProcess.MustAsync(server.Data, "submit", "--", "echo", "behind TLS");
        Assert.Equal("behind TLS", await CliProcess.MustAsync(server.Data, "logs", job, "-f"));
        string terminal = await StartAsync(url, server.Rest.Token, "/api/terminals", "name");
        using (var socket = new ClientWebSocket())
        {
            socket.Options.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null;
            await socket
                .ConnectAsync(
                    new UriBuilder(url)
                    {
                        Scheme = "wss",
                        Path = "/terminals/websocket/" + terminal,
                        Query = "token=" + server.Rest.Token,
                    }.Uri,
                    TestContext.Current.CancellationToken
                )
                .WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
            byte[] buffer = new byte[4096];
            WebSocketReceiveResult got = await socket
                .ReceiveAsync(buffer, TestContext.Current.CancellationToken)
                .WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
            Assert.Contains("setup", System.Text.Encoding.UTF8.GetString(buffer, 0, got.Count), StringComparison.Ordinal);
        }

        string kernel = await StartAsync(url, server.Rest.Token, "/api/kernels", "id");
        using (var socket = new ClientWebSocket())
        {
            socket.Options.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null;
            await socket
                .ConnectAsync(
                    new UriBuilder(url)
                    {
                        Scheme = "wss",
                        Path = $"/api/kernels/{kernel}/channels",
                        Query = "token=" + server.Rest.Token,
                    }.Uri,
                    TestContext.Current.CancellationToken
                )
                .WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
            const string request =
                """{"header":{"msg_id":"a1","msg_type":"kernel_info_request","session":"s","username":"u","version":"5.3","date":"2026-01-01T00:00:00Z"},"parent_header":{},"metadata":{},"content":{},"channel":"shell","buffers":[]}""";
            await socket.SendAsync(
                System.Text.Encoding.UTF8.GetBytes(request),
                WebSocketMessageType.Text,
                true,
                TestContext.Current.CancellationToken
            );
            byte[] buffer = new byte[256 * 1024];
            string said = "";
            while (!said.Contains("kernel_info_reply", StringComparison.Ordinal))
            {
                WebSocketReceiveResult got = await socket
                    .ReceiveAsync(buffer, TestContext.Current.CancellationToken)
                    .WaitAsync(Patience.Limit, TestContext.Current.CancellationToken);
                said += System.Text.Encoding.UTF8.GetString(buffer, 0, got.Count);
            }
        }

        string second = Write();
        Assert.Equal((200, second), await AskAsync(url, server.Rest.Token));
        await CliProcess.MustAsync(server.Data, "ls");
        await File.WriteAllTextAsync(Key, "nonsense", TestContext.Current.CancellationToken);
        Assert.Equal((200, second), await AskAsync(url, server.Rest.Token));
        // By a thread of its own, after the answer.
        await Patience.UntilAsync(() => server.Log.Contains("the one from before stays in use", StringComparison.Ordinal), "it was logged");
    }

    [Theory]
    [InlineData(-20, -1, "expired on")]
    [InlineData(1, 20, "not valid before")]
    public async Task A_certificate_that_is_not_valid_now_is_refused_with_a_sentence(int from, int to, string why)
    {
        Write(from, to);
        await using TestServer server = TestServer.Prepare(
            new TestServerOptions { Arguments = ["--tls-cert", Certificate, "--tls-key", Key] }
        );
        server.Launch();
        Assert.NotEqual(0, await server.WaitForExitAsync());
        Assert.Contains(why, server.Log, StringComparison.Ordinal);
        Assert.Contains("[tls-certificate-unusable]", server.Log, StringComparison.Ordinal);
    }

    private static async Task<string> StartAsync(Uri url, string token, string path, string field)
    {
        using HttpClient client = Client(_ => { });
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(url, $"{path}?token={token}"))
        {
            Content = new StringContent("{}"),
        };
        using HttpResponseMessage response = await client.SendAsync(request);
        return System.Text.Json.JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty(field).GetString()!;
    }

    /// <summary>A connection of its own, so that there is a handshake each time.</summary>
    private static async Task<(int Status, string Sha256)> AskAsync(Uri url, string token)
    {
        string shown = "";
        using HttpClient client = Client(certificate => shown = certificate);
        using HttpResponseMessage response = await client.GetAsync(new Uri(url, "/v1/executions?token=" + token));
        return ((int)response.StatusCode, shown);
    }

    private static HttpClient Client(Action<string> see) =>
        new(
            new SocketsHttpHandler
            {
                SslOptions = new()
                {
                    RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                    {
                        see(certificate!.GetCertHashString(HashAlgorithmName.SHA256));
                        return certificate is not null;
                    },
                },
            }
        )
        {
            Timeout = Patience.Limit,
        };

    private string Write(int from = -1, int to = 30)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 certificate = new CertificateRequest("CN=elsewhere.example", key, HashAlgorithmName.SHA256).CreateSelfSigned(
            now.AddDays(from),
            now.AddDays(to)
        );
        File.WriteAllText(Certificate, certificate.ExportCertificatePem());
        File.WriteAllText(Key, key.ExportPkcs8PrivateKeyPem());
        return certificate.GetCertHashString(HashAlgorithmName.SHA256);
    }
}
