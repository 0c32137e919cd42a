using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Clients;

/// <summary>
/// Debian's jupyter-server, or its classic Notebook, in gateway mode: it keeps files and sessions itself, and all its kernels are ours.
/// </summary>
internal sealed class JupyterServer : IAsyncDisposable
{
    private const int TriesMax = 3;

    private readonly OutsideProcess _process;

    private JupyterServer(OutsideProcess process, string url, string token, string root) =>
        (_process, Url, Token, Root) = (process, url, token, root);

    public string Url { get; }
    public string Token { get; }

    /// <summary>The folder that its notebooks are in.</summary>
    public string Root { get; }

    public string Log => _process.Said;

    /// <summary>Without a token, as people run it behind nbclient, whose gateway client cannot send one on a WebSocket.</summary>
    public static async Task<JupyterServer> StartAsync(TestServer holdfast, string program = "jupyter-server", string token = "")
    {
        Outsiders.RequirePython("jupyter_server");
        for (int tries = 1; ; tries++)
        {
            if (await TryStartAsync(holdfast, program, token, isLast: tries == TriesMax) is { } server)
            {
                return server;
            }
        }
    }

    /// <summary>Null when it ended at once, as it does when somebody else has taken the port that was free.</summary>
    private static async Task<JupyterServer?> TryStartAsync(TestServer holdfast, string program, string token, bool isLast)
    {
        string folder = Directory.CreateDirectory(Path.Combine(holdfast.Folder, program + "-" + Path.GetRandomFileName())).FullName;
        string root = Directory.CreateDirectory(Path.Combine(folder, "root")).FullName;
        int port = FreePort();
        string settings = program == "jupyter-notebook" ? "NotebookApp" : "ServerApp";
        var process = OutsideProcess.Start(
            folder,
            [
                Outsiders.Python,
                Outsiders.Require(program),
                "--no-browser",
                "--allow-root",
                "--ip=127.0.0.1",
                string.Create(CultureInfo.InvariantCulture, $"--port={port}"),
                $"--{settings}.port_retries=0",
                $"--{settings}.token={token}",
                $"--{settings}.password=",
                $"--{settings}.disable_check_xsrf=True",
                settings == "NotebookApp" ? "--notebook-dir=" + root : "--ServerApp.root_dir=" + root,
                "--gateway-url=" + holdfast.Rest.Url,
                "--GatewayClient.auth_token=" + holdfast.Rest.Token,
            ]
        );
        var server = new JupyterServer(process, string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"), token, root);
        try
        {
            await server.WaitUntilItAnswersAsync();
            return server;
        }
        catch
        {
            bool isAgain = process.HasEnded && !isLast;
            await server.DisposeAsync();
            if (isAgain)
            {
                return null;
            }

            throw;
        }
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private async Task WaitUntilItAnswersAsync()
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience.Limit };
        http.DefaultRequestHeaders.Authorization = Token.Length == 0 ? null : new AuthenticationHeaderValue("token", Token);
        await Patience.UntilAsync(
            async () =>
            {
                Assert.False(_process.HasEnded, Log);
                try
                {
                    using HttpResponseMessage answer = await http.GetAsync(Url + "/api/kernelspecs");
                    return answer.IsSuccessStatusCode
                        ? true
                        : throw new InvalidOperationException(
                            $"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}\n{Log}"
                        );
                }
                catch (HttpRequestException)
                {
                    return false; // It does not listen yet.
                }
            },
            "jupyter-server answered"
        );
    }

    /// <summary>It cannot be asked for any port; a free one is taken, and it is told to fail rather than to look further.</summary>
    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
