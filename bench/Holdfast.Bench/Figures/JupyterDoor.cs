using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Holdfast.Bench.Peers;
using Holdfast.Bench.Processes;
using Holdfast.Bench.Report;
using Holdfast.Bench.Server;

namespace Holdfast.Bench.Figures;

/// <summary>
/// A kernel through our WebSocket, beside jupyter_client straight to a kernel and Debian's jupyter-server: one Python script is the client
/// of all, each time with a kernel of its own.
/// </summary>
internal sealed class JupyterDoor : IBench
{
    private const string Straight = "jupyter_client";
    private const string Peer = "jupyter-server";
    private const string RawReader = "raw ZeroMQ";

    public string Name => "jupyter";
    public string What => "a kernel through the WebSocket of the Jupyter door";

    public void Run(BenchRun run)
    {
        if (!Directory.Exists("/usr/lib/python3/dist-packages/jupyter_client"))
        {
            BenchReport.Note("jupyter_client is not installed: there is no client to measure with.");
            return;
        }

        using HoldfastServer server = HoldfastServer.Start(run);
        using JupyterServerPeer? peer = JupyterServerPeer.StartIfInstalled(run.Sandbox, hasLimits: false);
        var load = new JupyterLoad(run.Sandbox);
        Cells(run, load, server, peer);
        Large(run, load, server, peer, "100 writes of 1 MB", run.Size(100, 10), 1_000_000);
        Large(run, load, server, peer, "one write of 100 MB", 1, run.Size(100_000_000, 10_000_000));
        Lines(run, load, server, peer);
        Stalled(run, load, server);
        Start(run, load, server, peer);
        Replay(run, server);
    }

    private static string Count(int count) => count.ToString(CultureInfo.InvariantCulture);

    private static void Cells(BenchRun run, JupyterLoad load, HoldfastServer server, JupyterServerPeer? peer)
    {
        var median = new Figure("x=1 until reply and idle, p50", "ms", Straight, Goal.RatioAtMost(1.0));
        var tail = new Figure("x=1 until reply and idle, p99", "ms", Straight, Goal.RatioAtMost(1.1));
        var quickMedian = new Figure("the same, a client that acks at once, p50", "ms", Peer, Goal.RatioAtMost(1.0));
        var plainMedian = new Figure("the same, a plain client, p50", "ms", Peer, Goal.RatioAtMost(0.12));
        var cpu = new Figure("CPU of server and supervisor per cell", "us", Peer, Goal.RatioAtMost(0.5));
        int count = run.Size(300, 20);
        for (int warmUp = 0; warmUp < run.Size(3, 0); warmUp++)
        {
            // A server runs for weeks: what its first thousand cells cost goes into compiling.
            _ = load.Through(Url(server), server.Token, server.Pid, "cells", Count(count));
        }

        for (int round = 0; round < run.Rounds; round++)
        {
            JsonNode straight = load.Straight("direct", "cells", Count(count));
            JsonNode plain = load.Through(Url(server), server.Token, server.Pid, "cells", Count(count));
            JsonNode quick = load.Through(Url(server), server.Token, server.Pid, "quick", "cells", Count(count));
            JsonNode? peerPlain = peer is null ? null : load.Through(peer.Url, JupyterServerPeer.Token, peer.Pid, "cells", Count(count));
            JsonNode? peerQuick = peer is null
                ? null
                : load.Through(peer.Url, JupyterServerPeer.Token, peer.Pid, "quick", "cells", Count(count));
            median.Add(Of(plain, "p50"), Of(straight, "p50"));
            tail.Add(Of(plain, "p99"), Of(straight, "p99"));
            quickMedian.Add(Of(quick, "p50"), OfPeer(peerQuick, "p50"));
            plainMedian.Add(Of(plain, "p50"), OfPeer(peerPlain, "p50"));
            cpu.Add(1e6 * Of(plain, "cpu") / count, 1e6 * OfPeer(peerPlain, "cpu") / count);
        }

        run.Report.Add(median, tail, quickMedian, plainMedian, cpu);
    }

    private static void Large(
        BenchRun run,
        JupyterLoad load,
        HoldfastServer server,
        JupyterServerPeer? peer,
        string name,
        int count,
        int size
    )
    {
        var speed = new Figure(name, "MB/s", RawReader, Goal.RatioAtLeast(0.95));
        var floor = new Figure(name + ", beside a bare relay", "MB/s", "relay");
        var beside = new Figure(name + ", beside the peer without limits", "MB/s", Peer);
        var memory = new Figure(name + ": growth of the server", "MB", Peer, Goal.AtMost(32));
        var lost = new Figure(name + ": messages lost", "", goal: Goal.AtMost(0));
        double Speed(JsonNode result) => count * (double)size / 1e6 / Of(result, "seconds");
        for (int round = 0; round < run.Rounds; round++)
        {
            string[] work = ["writes", Count(count), Count(size)];
            JsonNode raw = load.Straight("raw", work);
            JsonNode relay = load.Straight("relay", work);
            JsonNode ours = load.Through(Url(server), server.Token, server.Pid, work);
            JsonNode? other = peer is null ? null : load.Through(peer.Url, JupyterServerPeer.Token, peer.Pid, work);
            speed.Add(Speed(ours), Speed(raw));
            floor.Add(Speed(ours), Speed(relay));
            beside.Add(Speed(ours), other is null ? null : Speed(other));
            memory.Add(Of(ours, "memory"), OfPeer(other, "memory"));
            lost.Add(count - Of(ours, "large"));
        }

        run.Report.Add(speed, floor, beside, memory, lost);
    }

    private static void Lines(BenchRun run, JupyterLoad load, HoldfastServer server, JupyterServerPeer? peer)
    {
        int count = run.Size(20_000, 500);
        var time = new Figure("20,000 flushed lines", "ms", RawReader, Goal.RatioAtMost(1.1));
        var seen = new Figure("20,000 flushed lines: arrived", "", goal: Goal.AtLeast(count));
        var peerSeen = new Figure("of them through the peer as it comes", "", goal: null);
        using JupyterServerPeer? limited = peer is null ? null : JupyterServerPeer.StartIfInstalled(run.Sandbox, hasLimits: true);
        for (int round = 0; round < run.Rounds; round++)
        {
            JsonNode raw = load.Straight("raw", "lines", Count(count));
            JsonNode ours = load.Through(Url(server), server.Token, server.Pid, "lines", Count(count));
            time.Add(1000 * Of(ours, "seconds"), 1000 * Of(raw, "seconds"));
            seen.Add(Of(ours, "lines"));
            if (limited is not null)
            {
                peerSeen.Add(Of(load.Through(limited.Url, JupyterServerPeer.Token, limited.Pid, "lines", Count(count)), "lines"));
            }
        }

        run.Report.Add(time, seen, peerSeen);
    }

    private static void Stalled(BenchRun run, JupyterLoad load, HoldfastServer server)
    {
        var time = new Figure("20,000 lines beside a client that stands still", "ms", "alone", Goal.RatioAtMost(1.05));
        for (int round = 0; round < run.Rounds; round++)
        {
            JsonNode result = load.Through(Url(server), server.Token, server.Pid, "stalled", Count(run.Size(20_000, 500)));
            time.Add(1000 * Of(result, "beside"), 1000 * Of(result, "alone"));
        }

        run.Report.Add(time);
    }

    private static void Start(BenchRun run, JupyterLoad load, HoldfastServer server, JupyterServerPeer? peer)
    {
        var besidePeer = new Figure("kernel start until idle", "ms", Peer, Goal.RatioAtMost(1.0));
        var besideStraight = new Figure("kernel start until idle, beside no server", "ms", Straight);
        // One start in five meets something else that the machine is at: a round is five of each, taking turns.
        for (int start = 0; start < run.Rounds * run.Size(5, 1); start++)
        {
            double ours = 1000 * Of(load.Through(Url(server), server.Token, server.Pid, "start"), "seconds");
            JsonNode? other = peer is null ? null : load.Through(peer.Url, JupyterServerPeer.Token, peer.Pid, "start");
            besidePeer.Add(ours, 1000 * OfPeer(other, "seconds"));
            besideStraight.Add(ours, 1000 * Of(load.Straight("direct", "start"), "seconds"));
        }

        run.Report.Add(besidePeer, besideStraight);
    }

    /// <summary>kill -9, a new server at once, and a client that tries to come back every millisecond.</summary>
    private static void Replay(BenchRun run, HoldfastServer server)
    {
        var time = new Figure("kill -9 until the first replayed message", "ms", goal: Goal.AtMost(1000));
        for (int round = 0; round < run.Rounds; round++)
        {
            string said = Path.Combine(run.Sandbox.NewFolder("replay"), "said");
            Child client = run.Sandbox.Start(JupyterLoad.Command(Url(server), server.Token, "replay"), said);
            server.WaitFor(() => File.Exists(said) && File.ReadAllText(said).Contains("ready", StringComparison.Ordinal));
            long killed = Stopwatch.GetTimestamp(); // Nanoseconds of the monotonic clock, as Python has it.
            server.Kill();
            server.Restart();
            _ = client.Wait();
            time.Add((Of(JsonNode.Parse(File.ReadLines(said).Last())!, "monotonic") - killed) / 1e6);
        }

        run.Report.Add(time);
    }

    private static string Url(HoldfastServer server) => $"http://{server.EndPoint}";

    private static double Of(JsonNode result, string name) => (double)result[name]!;

    private static double? OfPeer(JsonNode? result, string name) => result is null ? null : Of(result, name);
}
