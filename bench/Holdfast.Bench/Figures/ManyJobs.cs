using System.Diagnostics;
using Holdfast.Bench.Measure;
using Holdfast.Bench.Peers;
using Holdfast.Bench.Report;
using Holdfast.Bench.Server;

namespace Holdfast.Bench.Figures;

/// <summary>
/// `true` jobs end to end: submitted one after the other by one client that stays, until every outcome is known and durable. As many at
/// once on each side.
/// </summary>
internal sealed class ManyJobs : IBench
{
    private const int LastWatched = 16;

    public string Name => "jobs";
    public string What => $"true jobs end to end, from one client, {BenchRun.Slots} at once";

    public void Run(BenchRun run)
    {
        var spawn = new Figure("end to end", "jobs/s", "posix_spawn of true /s");
        var celery = new Figure("against Celery, Redis appendfsync always", "jobs/s", "Celery", Goal.RatioAtLeast(1.0));
        var spooler = new Figure("against task-spooler (not durable)", "jobs/s", "tsp", Goal.RatioAtLeast(1.0));
        var accepting = new Figure("of this, until all were acknowledged", "s", "to the end, s");
        var serverCpu = new Figure("server CPU per job", "us");
        var serverSleeps = new Figure("sleeps of server threads per job", "");
        var supervisorCpu = new Figure("supervisor CPU per job", "us");
        var childCpu = new Figure("CPU of the job itself, from spawn to exit", "us");

        using HoldfastServer server = HoldfastServer.Start(run);
        using RestConnection connection = server.Connect();
        using TaskSpooler? tsp = TaskSpooler.StartIfInstalled(run.Sandbox, BenchRun.Slots);
        using CeleryPeer? worker = CeleryPeer.StartIfInstalled(run.Sandbox, BenchRun.Slots);
        byte[] request = connection.Request("POST", "/v1/jobs", Jobs.True);
        _ = Time(connection, request, run.Size(1000, 10));

        int count = run.Size(1000, 30);
        for (int round = 0; round < run.Rounds; round++)
        {
            double floor = 1000 / SpawnFloor.Run(run.Sandbox, run.Size(500, 20)).Mean;
            double? ofCelery = count / worker?.Time(count).TotalSeconds;
            double? ofSpooler = count / tsp?.Time(count).TotalSeconds;

            int[] supervisors = [.. server.Supervisors()];
            TimeSpan server0 = ProcessCpu.Of(server.Pid);
            long sleeps = ProcessCpu.Sleeps(server.Pid);
            TimeSpan supervisors0 = ProcessCpu.Of(supervisors);
            TimeSpan children0 = Children(supervisors);
            (TimeSpan accepted, TimeSpan elapsed) = Time(connection, request, count);
            serverCpu.Add((ProcessCpu.Of(server.Pid) - server0).TotalMicroseconds / count);
            serverSleeps.Add((ProcessCpu.Sleeps(server.Pid) - sleeps) / (double)count);
            supervisorCpu.Add((ProcessCpu.Of(supervisors) - supervisors0).TotalMicroseconds / count);
            childCpu.Add((Children(supervisors) - children0).TotalMicroseconds / count);

            double rate = count / elapsed.TotalSeconds;
            spawn.Add(rate, floor);
            accepting.Add(accepted.TotalSeconds, elapsed.TotalSeconds);
            celery.Add(rate, ofCelery);
            spooler.Add(rate, ofSpooler);
        }

        run.Report.Add(spawn, celery, spooler, accepting, serverCpu, serverSleeps, supervisorCpu, childCpu);
    }

    /// <summary>
    /// Jobs are started in order: when the last few are over, only a straggler can be left, and asking for each of a thousand would measure
    /// the asking. So the last few are waited for, and then nothing may be left that is not over.
    /// </summary>
    private static (TimeSpan Accepted, TimeSpan Elapsed) Time(RestConnection connection, byte[] request, int count)
    {
        var ids = new List<string>(count);
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
            ids.Add((string)connection.Exchange(request).Json["id"]!);
        }

        TimeSpan accepted = Stopwatch.GetElapsedTime(start);
        foreach (string id in ids.TakeLast(LastWatched))
        {
            _ = connection.WaitSucceeded(id);
        }

        foreach (string state in (string[])["queued", "starting", "running"])
        {
            foreach (var straggler in connection.Get($"/v1/executions?state={state}").Json["executions"]!.AsArray())
            {
                _ = connection.WaitSucceeded((string)straggler!["id"]!);
            }
        }

        return (accepted, Stopwatch.GetElapsedTime(start));
    }

    private static TimeSpan Children(int[] supervisors) =>
        supervisors.Aggregate(TimeSpan.Zero, (sum, pid) => sum + ProcessCpu.OfWaitedChildren(pid));
}
