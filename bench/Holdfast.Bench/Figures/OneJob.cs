using System.Diagnostics;
using Holdfast.Bench.Measure;
using Holdfast.Bench.Peers;
using Holdfast.Bench.Report;
using Holdfast.Bench.Server;
using Holdfast.Protocol.Processes;

namespace Holdfast.Bench.Figures;

/// <summary>
/// One `true` on an idle server, from the submit to its known exit: with a supervisor that waits for the next job, and with none.
/// </summary>
internal sealed class OneJob : IBench
{
    public string Name => "onejob";
    public string What => "one true, submit to known exit, idle server";

    public void Run(BenchRun run)
    {
        var cold = new Figure("no supervisor there, p50", "ms", "posix_spawn of true", Goal.AtMost(40));
        var warm = new Figure("a supervisor waits, p50", "ms", "posix_spawn of true", Goal.AtMost(10));
        var peer = new Figure("task-spooler, tsp -f true, p50", "ms", "posix_spawn of true");
        var serverCpu = new Figure("warm, server CPU per job", "us");
        var serverSleeps = new Figure("warm, sleeps of server threads per job", "");
        var supervisorCpu = new Figure("warm, supervisor CPU per job", "us");

        using HoldfastServer server = HoldfastServer.Start(run);
        using RestConnection connection = server.Connect();
        using TaskSpooler? spooler = TaskSpooler.StartIfInstalled(run.Sandbox, BenchRun.Slots);
        byte[] request = connection.Request("POST", "/v1/jobs", Jobs.True);
        for (int i = 0; i < run.Size(200, 5); i++)
        {
            _ = Time(connection, request);
        }

        for (int round = 0; round < run.Rounds; round++)
        {
            double floor = SpawnFloor.Run(run.Sandbox, run.Size(200, 20)).Median;
            var times = new List<TimeSpan>();
            for (int i = 0; i < run.Size(20, 3); i++)
            {
                EndSupervisors(server);
                times.Add(Time(connection, request));
            }

            cold.Add(new Percentiles(times).Median, floor);

            int count = run.Size(200, 10);
            int[] supervisors = [.. server.Supervisors()];
            TimeSpan ofServer = ProcessCpu.Of(server.Pid);
            long sleeps = ProcessCpu.Sleeps(server.Pid);
            TimeSpan ofSupervisors = ProcessCpu.Of(supervisors);
            warm.Add(new Percentiles(Enumerable.Range(0, count).Select(_ => Time(connection, request))).Median, floor);
            serverCpu.Add((ProcessCpu.Of(server.Pid) - ofServer).TotalMicroseconds / count);
            serverSleeps.Add((ProcessCpu.Sleeps(server.Pid) - sleeps) / (double)count);
            supervisorCpu.Add((ProcessCpu.Of(supervisors) - ofSupervisors).TotalMicroseconds / count);
            if (spooler is not null)
            {
                peer.Add(new Percentiles(Enumerable.Range(0, count).Select(_ => spooler.TimeOne())).Median, floor);
            }
        }

        run.Report.Add(cold, warm, serverCpu, serverSleeps, supervisorCpu, peer);
    }

    private static TimeSpan Time(RestConnection connection, byte[] request)
    {
        long start = Stopwatch.GetTimestamp();
        _ = connection.WaitSucceeded((string)connection.Exchange(request).Json["id"]!);
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>They are idle: this harms no job, and it is what five idle minutes do.</summary>
    private static void EndSupervisors(HoldfastServer server)
    {
        server.Supervisors().ForEach(pid => Libc.Kill(pid, Libc.SigKill));
        server.WaitFor(() => server.Supervisors().Count == 0);
        Thread.Sleep(20); // The server sees their links close.
    }
}
