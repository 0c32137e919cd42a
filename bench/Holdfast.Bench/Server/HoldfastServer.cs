using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Holdfast.Bench.Processes;
using Holdfast.Protocol.Processes;

namespace Holdfast.Bench.Server;

/// <summary>The published server on a data directory of its own, in a sandbox.</summary>
internal sealed class HoldfastServer : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Sandbox _sandbox;
    private readonly string _program;
    private readonly int? _slots;
    private Child _process = null!;

    private HoldfastServer(Sandbox sandbox, string program, int? slots)
    {
        (_sandbox, _program, _slots) = (sandbox, program, slots);
        DataFolder = sandbox.NewFolder("data");
        Root = sandbox.NewFolder("root");
    }

    public string DataFolder { get; }

    /// <summary>The folder that its notebooks are in.</summary>
    public string Root { get; }

    public int Pid => _process.Pid;
    public IPEndPoint EndPoint { get; private set; } = new(IPAddress.Loopback, 0);
    public string Token { get; private set; } = "";

    public static HoldfastServer Start(BenchRun run, int? slots = null)
    {
        var server = new HoldfastServer(run.Sandbox, run.Options.Program, slots);
        server.Launch();
        string record = Path.Combine(server.DataFolder, "server.json");
        server.WaitFor(() => File.Exists(record));
        server.EndPoint = new IPEndPoint(IPAddress.Loopback, new Uri((string)JsonNode.Parse(File.ReadAllText(record))!["url"]!).Port);
        server.Token = File.ReadAllText(Path.Combine(server.DataFolder, "token")).Trim();
        server.WaitFor(() => server.IsReady());
        return server;
    }

    public RestConnection Connect() => new(EndPoint, Token);

    /// <summary>kill -9, of the server alone.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Starts it again on the same data and port; the time from the start of the process to the first "ready".</summary>
    public TimeSpan Restart()
    {
        long start = Stopwatch.GetTimestamp();
        Launch();
        WaitFor(() => IsReady());
        return Stopwatch.GetElapsedTime(start);
    }

    public JsonNode Get(string path)
    {
        using RestConnection connection = Connect();
        return connection.Get(path).Json;
    }

    public JsonNode Post(string path, string body)
    {
        using RestConnection connection = Connect();
        return connection.Post(path, body).Json;
    }

    /// <summary>Its supervisors, by their command lines.</summary>
    public List<int> Supervisors() => _sandbox.Find("holdfast-supervisor");

    /// <summary>Waits until a question is answered with yes, asked again every millisecond.</summary>
    public void WaitFor(Func<bool> isSo, int everyMs = 1)
    {
        long start = Stopwatch.GetTimestamp();
        while (!isSo())
        {
            if (_process.HasEnded() || Stopwatch.GetElapsedTime(start) > Patience)
            {
                throw new IOException(
                    $"The server {(_process.HasEnded() ? "ended" : "is not where it should be")}; its last words: {LastWords()}"
                );
            }

            Thread.Sleep(everyMs);
        }
    }

    /// <summary>
    /// Ends the server and all that it started. Of its data only what is large goes now: on ext4 without a journal each new file passes
    /// over every one that was deleted in the last minutes, so that some thousand small files deleted here were a third of the next bench's
    /// time in its supervisors.
    /// </summary>
    public void Dispose()
    {
        const int largeBytes = 1024 * 1024;
        _process.Kill();
        _sandbox.Sweep();
        foreach (FileInfo file in new DirectoryInfo(DataFolder).EnumerateFiles("*", SearchOption.AllDirectories))
        {
            if (file.Length > largeBytes)
            {
                file.Delete();
            }
        }
    }

    private void Launch() =>
        _process = _sandbox.Start(
            [
                _program,
                "serve",
                "--data",
                DataFolder,
                "--root",
                Root,
                "--port",
                EndPoint.Port.ToString(CultureInfo.InvariantCulture),
                "--callbacks-allow",
                "127.0.0.0/8",
                .. _slots is { } slots ? (string[])["--slots", slots.ToString(CultureInfo.InvariantCulture)] : [],
            ],
            Path.Combine(_sandbox.Folder, "server.log")
        );

    private bool IsReady()
    {
        try
        {
            using RestConnection connection = Connect();
            return connection.Get("/readyz").Status == 200;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false; // It does not listen yet.
        }
    }

    private string LastWords()
    {
        string log = Path.Combine(_sandbox.Folder, "server.log");
        return File.Exists(log) ? string.Join('\n', File.ReadLines(log).TakeLast(20)) : "none";
    }
}
