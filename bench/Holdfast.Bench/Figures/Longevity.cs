using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Holdfast.Bench.Measure;
using Holdfast.Bench.Report;
using Holdfast.Bench.Server;

namespace Holdfast.Bench.Figures;

/// <summary>
/// A server that has been left alone for a year: what a full store costs a submit, and a start after kill -9 with everything in flight at
/// once.
/// </summary>
internal sealed class Longevity : IBench
{
    private const int Locks = 50;

    public string Name => "longevity";
    public string What => "a full store, and a start after kill -9 with everything in flight";

    public void Run(BenchRun run)
    {
        Waiters(run);
        FullStore(run);
        EverythingInFlight(run);
    }

    private static void Waiters(BenchRun run)
    {
        var lines = new Figure("1,000 waiters over 50 locks recovered, in order", "ms", goal: Goal.AtMost(50));
        int waiters = run.Size(1000, 60);
        for (int round = 0; round < run.Rounds; round++)
        {
            using HoldfastServer server = HoldfastServer.Start(run);
            server.FillSlots(BenchRun.Slots);
            server.Kill();
            Fill(run, server, "waiters", waiters, Locks);
            _ = server.Restart();
            JsonNode report = server.Get("/v1/recovery");
            lines.Add(
                report["phases"]!
                    .AsArray()
                    .Where(static p => (string?)p!["name"] is "locks" or "lines")
                    .Sum(static p => (double)p!["milliseconds"]!)
            );
            JsonArray held = server.Get("/v1/locks").AsArray();
            int granted = held.Where(static l => l!["holder"] is not null).Select(static l => (string)l!["holder"]!).Distinct().Count();
            if (held.Count != Locks || granted == 0)
            {
                throw new IOException($"The lines are not what they should be: {held.Count} locks, {granted} holders.");
            }
        }

        run.Report.Add(lines);
    }

    private static void FullStore(BenchRun run)
    {
        var submit = new Figure("submit with 1,000,000 executions in the store, p50", "ms", "empty store", Goal.RatioAtMost(1.2));
        using HoldfastServer empty = HoldfastServer.Start(run);
        using HoldfastServer full = HoldfastServer.Start(run);
        full.Kill();
        Fill(run, full, "finished", run.Size(1_000_000, 5000));
        _ = full.Restart();
        foreach (HoldfastServer server in (HoldfastServer[])[empty, full])
        {
            server.FillSlots(BenchRun.Slots);
            _ = Median(server, run.Size(3000, 50)); // Until the server's code is compiled as it will stay.
        }

        for (int round = 0; round < run.Rounds; round++)
        {
            int count = run.Size(1000, 50);
            double besides = Median(empty, count);
            submit.Add(Median(full, count), besides);
        }

        run.Report.Add(submit);
    }

    private static void EverythingInFlight(BenchRun run)
    {
        var ready = new Figure(
            "kill -9 to ready: 100,000 finished, 10,000 queued, 100 live, 1,000 waiters, 1,000 callbacks",
            "ms",
            goal: Goal.AtMost(1500)
        );
        int live = run.Size(100, 6);
        using HoldfastServer server = HoldfastServer.Start(run, live);
        server.FillSlots(live);
        using (var swarm = new Swarm(server.EndPoint, 50))
        using (RestConnection connection = server.Connect())
        {
            _ = swarm.Run(connection.Request("POST", "/v1/jobs", Jobs.True), run.Size(10_000, 100));
        }

        server.Kill();
        Fill(run, server, "finished", run.Size(100_000, 500));
        Fill(run, server, "waiters", run.Size(1000, 60), Locks);
        Fill(run, server, "callbacks", run.Size(1000, 60));
        for (int round = 0; round < run.Rounds; round++)
        {
            ready.Add(server.Restart().TotalMilliseconds);
            JsonNode report = server.Get("/v1/recovery");
            if ((int)report["readopted"]! != live)
            {
                throw new IOException($"Not every supervisor was found again: {report.ToJsonString()}");
            }

            server.Kill();
        }

        run.Report.Add(ready);
    }

    private static void Fill(BenchRun run, HoldfastServer server, string what, params int[] numbers) =>
        _ = run.Sandbox.Run([
            "/usr/bin/python3",
            Path.Combine(AppContext.BaseDirectory, "Server", "fill_store.py"),
            Path.Combine(server.DataFolder, "holdfast.db"),
            what,
            .. numbers.Select(static n => n.ToString(CultureInfo.InvariantCulture)),
        ]);

    private static double Median(HoldfastServer server, int count)
    {
        using RestConnection connection = server.Connect();
        byte[] request = connection.Request("POST", "/v1/jobs", Jobs.True);
        var times = new List<TimeSpan>(count);
        for (int i = 0; i < count; i++)
        {
            long start = Stopwatch.GetTimestamp();
            _ = connection.Exchange(request);
            times.Add(Stopwatch.GetElapsedTime(start));
        }

        return new Percentiles(times).Median;
    }
}
