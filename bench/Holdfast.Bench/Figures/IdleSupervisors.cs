using Holdfast.Bench.Measure;
using Holdfast.Bench.Report;
using Holdfast.Bench.Server;

namespace Holdfast.Bench.Figures;

/// <summary>What fifty supervisors of sleeping jobs cost while nothing happens.</summary>
internal sealed class IdleSupervisors : IBench
{
    /// <summary>What rounds to 0.0 %. Not zero: the runtime's finalizer looks up every ten seconds.</summary>
    private const double CpuMax = 0.05;

    public string Name => "supervisors";
    public string What => "50 running jobs that only sleep";

    public void Run(BenchRun run)
    {
        var memory = new Figure("PSS of one supervisor, mean", "MB", goal: Goal.AtMost(5));
        var largest = new Figure("PSS of the largest", "MB");
        var cpu = new Figure("CPU of all of them", "% of a core", goal: Goal.AtMost(CpuMax));
        var server = new Figure("CPU of the server", "% of a core");
        int count = run.Size(50, 6);
        TimeSpan window = TimeSpan.FromSeconds(run.Size(10, 1));
        using HoldfastServer holdfast = HoldfastServer.Start(run, count);
        holdfast.FillSlots(count);
        Thread.Sleep(run.Size(5000, 1500)); // The sync that follows the last record by a second is work, not idling.
        int[] pids = [.. holdfast.Supervisors()];
        if (pids.Length != count)
        {
            throw new IOException($"{pids.Length} supervisors for {count} jobs.");
        }

        for (int round = 0; round < run.Rounds; round++)
        {
            double[] each = [.. pids.Select(ProcessMemory.ProportionalMb)];
            memory.Add(each.Average());
            largest.Add(each.Max());
            TimeSpan before = ProcessCpu.Of(pids);
            TimeSpan serverBefore = ProcessCpu.Of(holdfast.Pid);
            Thread.Sleep(window);
            cpu.Add(100 * (ProcessCpu.Of(pids) - before) / window);
            server.Add(100 * (ProcessCpu.Of(holdfast.Pid) - serverBefore) / window);
        }

        run.Report.Add(memory, largest, cpu, server);
    }
}
