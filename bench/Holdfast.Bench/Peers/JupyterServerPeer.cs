using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Holdfast.Bench.Processes;

namespace Holdfast.Bench.Peers;

/// <summary>Debian's jupyter-server, with a token, on a port of its own.</summary>
internal sealed class JupyterServerPeer : IDisposable
{
    public const string Token = "bench";
    private const string Program = "/usr/bin/jupyter-server";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly Child _process;

    private JupyterServerPeer(Sandbox sandbox, bool hasLimits)
    {
        string folder = sandbox.NewFolder("jupyter");
        int port = FreePort();
        Url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
        _process = sandbox.Start(
            [
                "/usr/bin/python3",
                Program,
                "--no-browser",
                "--allow-root",
                "--ip=127.0.0.1",
                string.Create(CultureInfo.InvariantCulture, $"--port={port}"),
                "--ServerApp.port_retries=0",
                "--ServerApp.token=" + Token,
                "--ServerApp.root_dir=" + folder,
                .. hasLimits ? (string[])[] : ["--ServerApp.iopub_data_rate_limit=1e12", "--ServerApp.iopub_msg_rate_limit=1e9"],
            ],
            Path.Combine(folder, "log"),
            folder,
            [("HOME", folder), ("JUPYTER_CONFIG_DIR", folder), ("JUPYTER_RUNTIME_DIR", folder)]
        );
        WaitUntilItListens(port);
    }

    public string Url { get; }
    public int Pid => _process.Pid;

    /// <summary>With its limits on how much a kernel may say, as it comes, or without them.</summary>
    public static JupyterServerPeer? StartIfInstalled(Sandbox sandbox, bool hasLimits) =>
        File.Exists(Program) ? new JupyterServerPeer(sandbox, hasLimits) : null;

    public void Dispose() => _process.Stop(TimeSpan.FromSeconds(10));

    private void WaitUntilItListens(int port)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using var client = new TcpClient();
                client.Connect(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException) when (!_process.HasEnded() && Stopwatch.GetElapsedTime(start) < Patience)
            {
                Thread.Sleep(20);
            }
        }
    }

    /// <summary>It cannot be asked which port it took; a free one is given, and it is told to fail rather than to look further.</summary>
    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
