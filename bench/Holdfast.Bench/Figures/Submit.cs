using System.Diagnostics;
using Holdfast.Bench.Measure;
using Holdfast.Bench.Report;
using Holdfast.Bench.Server;

namespace Holdfast.Bench.Figures;

/// <summary>
/// The durable acknowledgement of a job over REST. Every slot is taken by a sleeping job, so that accepting is all that goes on.
/// </summary>
internal sealed class Submit : IBench
{
    private const int Callers = 100;

    public string Name => "submit";
    public string What => "durable acknowledgement over REST, all slots busy";

    public void Run(BenchRun run)
    {
        var one = new Figure("1 caller, p50", "ms", "fdatasync", Goal.AtMost(1.0));
        var tail = new Figure("1 caller, p99", "ms", "fdatasync p99");
        var oneCpu = new Figure("1 caller, server CPU per submit", "us");
        var oneSleeps = new Figure("1 caller, sleeps of server threads per submit", "");
        var many = new Figure("100 callers", "/s", "fdatasync /s", Goal.AtLeast(10_000));
        var manyTail = new Figure("100 callers, p99 of one", "ms");
        var manyCpu = new Figure("100 callers, server CPU per submit", "us");
        var clientCpu = new Figure("100 callers, CPU of the load per submit", "us");

        using HoldfastServer server = HoldfastServer.Start(run);
        server.FillSlots(BenchRun.Slots);
        using RestConnection connection = server.Connect();
        using var swarm = new Swarm(server.EndPoint, Callers);
        byte[] request = connection.Request("POST", "/v1/jobs", Jobs.True);
        _ = swarm.Run(request, run.Size(5000, 100)); // Until the server's code is compiled as it will stay.

        for (int round = 0; round < run.Rounds; round++)
        {
            Percentiles floor = SyncFloor.InPlace(run.Sandbox.Folder, run.Size(2000, 100));
            TimeSpan cpu = ProcessCpu.Of(server.Pid);
            long sleeps = ProcessCpu.Sleeps(server.Pid);
            int count = run.Size(2000, 100);
            Percentiles times = Sequence(connection, request, count);
            oneCpu.Add((ProcessCpu.Of(server.Pid) - cpu).TotalMicroseconds / count);
            oneSleeps.Add((ProcessCpu.Sleeps(server.Pid) - sleeps) / (double)count);
            one.Add(times.Median, floor.Median);
            tail.Add(times.At(0.99), floor.At(0.99));

            cpu = ProcessCpu.Of(server.Pid);
            TimeSpan ours = ProcessCpu.Of(Environment.ProcessId);
            count = run.Size(20_000, 500);
            (TimeSpan elapsed, List<TimeSpan> each) = swarm.Run(request, count);
            manyCpu.Add((ProcessCpu.Of(server.Pid) - cpu).TotalMicroseconds / count);
            clientCpu.Add((ProcessCpu.Of(Environment.ProcessId) - ours).TotalMicroseconds / count);
            many.Add(count / elapsed.TotalSeconds, 1000 / floor.Mean);
            manyTail.Add(new Percentiles(each).At(0.99));
        }

        run.Report.Add(one, tail, oneCpu, oneSleeps, many, manyTail, manyCpu, clientCpu);
    }

    private static Percentiles Sequence(RestConnection connection, byte[] request, int count)
    {
        var times = new List<TimeSpan>(count);
        for (int i = 0; i < count; i++)
        {
            long start = Stopwatch.GetTimestamp();
            Answer answer = connection.Exchange(request);
            times.Add(Stopwatch.GetElapsedTime(start));
            if (answer.Status != 201)
            {
                _ = answer.Json;
            }
        }

        return new Percentiles(times);
    }
}
