using System.Text.Json.Nodes;
using Holdfast.Bench.Measure;
using Holdfast.Bench.Report;
using Holdfast.Bench.Server;

namespace Holdfast.Bench.Figures;

/// <summary>
/// kill -9 of a server with many queued jobs, and the start after it: from the start of the process until /readyz says so.
/// </summary>
internal sealed class ColdStart : IBench
{
    public string Name => "coldstart";
    public string What => "start after kill -9 with 10,000 queued jobs";

    public void Run(BenchRun run)
    {
        var ready = new Figure("process start to /readyz", "ms", goal: Goal.AtMost(600));
        var recovery = new Figure("of this, recovery", "ms", goal: Goal.AtMost(100));
        var cpu = new Figure("server CPU until then", "ms");
        var empty = new Figure("the same on an empty data directory", "ms");
        for (int round = 0; round < run.Rounds; round++)
        {
            // A directory of its own each round: what a start leaves behind must not help or hinder the next.
            using HoldfastServer server = HoldfastServer.Start(run);
            server.Kill();
            empty.Add(server.Restart().TotalMilliseconds);
            server.FillSlots(BenchRun.Slots);
            using (var swarm = new Swarm(server.EndPoint, 50))
            using (RestConnection connection = server.Connect())
            {
                _ = swarm.Run(connection.Request("POST", "/v1/jobs", Jobs.True), run.Size(10_000, 300));
            }

            server.Kill();
            ready.Add(server.Restart().TotalMilliseconds);
            cpu.Add(ProcessCpu.Of(server.Pid).TotalMilliseconds);
            JsonNode report = server.Get("/v1/recovery");
            recovery.Add((double)report["milliseconds"]!);
            if ((int)report["queued"]! != run.Size(10_000, 300) || (int)report["readopted"]! != BenchRun.Slots)
            {
                throw new IOException($"Not everything was found again: {report.ToJsonString()}");
            }
        }

        run.Report.Add(ready, recovery, cpu, empty);
    }
}
