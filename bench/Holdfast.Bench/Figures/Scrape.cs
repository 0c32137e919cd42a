using System.Diagnostics;
using Holdfast.Bench.Measure;
using Holdfast.Bench.Report;
using Holdfast.Bench.Server;

namespace Holdfast.Bench.Figures;

/// <summary>One scrape of /metrics on a kept connection, with ended, running and queued jobs.</summary>
internal sealed class Scrape : IBench
{
    private const int Slots = 8;

    public string Name => "scrape";
    public string What => "GET /metrics with 500 ended, 8 running and 10,000 queued jobs";

    public void Run(BenchRun run)
    {
        var median = new Figure("p50", "ms", goal: Goal.AtMost(5));
        var slow = new Figure("p99", "ms", goal: Goal.AtMost(5));
        using HoldfastServer server = HoldfastServer.Start(run, Slots);
        using RestConnection connection = server.Connect();
        int ended = run.Size(500, 10);
        for (int i = 0; i < ended; i++)
        {
            _ = connection.Submit(Jobs.True);
        }

        server.WaitFor(() => server.AreInState("succeeded", ended), everyMs: 20);
        server.FillSlots(Slots);
        Parallel.For(
            0,
            8,
            worker =>
            {
                using RestConnection one = server.Connect();
                for (int i = 0; i < run.Size(10_000, 40) / 8; i++)
                {
                    _ = one.Submit(Jobs.True);
                }
            }
        );
        for (int round = 0; round < run.Rounds; round++)
        {
            var times = new Percentiles(Enumerable.Range(0, run.Size(300, 5)).Select(_ => One(connection)).ToArray());
            median.Add(times.Median);
            slow.Add(times.At(0.99));
        }

        run.Report.Add(median, slow);
    }

    private static TimeSpan One(RestConnection connection)
    {
        long start = Stopwatch.GetTimestamp();
        Answer answer = connection.Get("/metrics");
        TimeSpan taken = Stopwatch.GetElapsedTime(start);
        return answer.Status == 200 ? taken : throw new IOException($"It answered {answer.Status}.");
    }
}
