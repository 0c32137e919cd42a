using System.Text.Json.Nodes;
using Holdfast.Bench.Report;
using Holdfast.Bench.Server;

namespace Holdfast.Bench.Figures;

/// <summary>kill -9 of a server with many running jobs, and the start after it: until every supervisor is linked again.</summary>
internal sealed class Reattach : IBench
{
    public string Name => "reattach";
    public string What => "start after kill -9 with 50 live supervisors";

    public void Run(BenchRun run)
    {
        var recovery = new Figure("recovery, all re-attached", "ms", goal: Goal.AtMost(300));
        var ready = new Figure("process start to /readyz", "ms");
        int count = run.Size(50, 6);
        using HoldfastServer server = HoldfastServer.Start(run, count);
        server.FillSlots(count);
        for (int round = 0; round < run.Rounds; round++)
        {
            server.Kill();
            ready.Add(server.Restart().TotalMilliseconds);
            JsonNode report = server.Get("/v1/recovery");
            recovery.Add((double)report["milliseconds"]!);
            if ((int)report["readopted"]! != count)
            {
                throw new IOException($"Not every supervisor was found again: {report.ToJsonString()}");
            }
        }

        run.Report.Add(recovery, ready);
    }
}
