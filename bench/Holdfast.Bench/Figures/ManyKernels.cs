using System.Text.Json.Nodes;
using Holdfast.Bench.Measure;
using Holdfast.Bench.Report;
using Holdfast.Bench.Server;

namespace Holdfast.Bench.Figures;

/// <summary>What the server costs with fifty ipykernels: first all idle, then all in `time.sleep`.</summary>
internal sealed class ManyKernels : IBench
{
    private const int StartedAtOnce = 4;

    public string Name => "kernels";
    public string What => "the server with 50 ipykernels";

    public void Run(BenchRun run)
    {
        var idleCpu = new Figure("all idle: CPU of the server", "% of a core", goal: Goal.AtMost(0.2));
        var idleMemory = new Figure("all idle: RSS of the server", "MB", goal: Goal.AtMost(120));
        var sleepCpu = new Figure("all in sleep: CPU of the server", "% of a core", goal: Goal.AtMost(0.2));
        var sleepMemory = new Figure("all in sleep: RSS of the server", "MB", goal: Goal.AtMost(120));
        var supervisorCpu = new Figure("all in sleep: CPU of the 50 supervisors", "% of a core");
        var supervisorMemory = new Figure("PSS of one kernel's supervisor, mean", "MB");
        int count = run.Size(50, 3);
        using HoldfastServer server = HoldfastServer.Start(run);
        string[] kernels = StartKernels(server, count);
        int[] supervisors = [.. server.Supervisors()];
        Thread.Sleep(run.Size(5000, 1500));
        Measure(run, server, supervisors, idleCpu, idleMemory, null);
        PutToSleep(server, kernels);
        Thread.Sleep(run.Size(5000, 1500));
        Measure(run, server, supervisors, sleepCpu, sleepMemory, supervisorCpu);
        supervisorMemory.Add(supervisors.Average(ProcessMemory.ProportionalMb));
        run.Report.Add(idleCpu, idleMemory, sleepCpu, sleepMemory, supervisorCpu, supervisorMemory);
    }

    private static string[] StartKernels(HoldfastServer server, int count)
    {
        var kernels = new string[count];
        Parallel.For(
            0,
            count,
            new ParallelOptions { MaxDegreeOfParallelism = StartedAtOnce },
            i => kernels[i] = (string)server.Post("/v1/kernels", """{"name":"python3"}""")["id"]!
        );
        return kernels;
    }

    private static void PutToSleep(HoldfastServer server, string[] kernels)
    {
        foreach (string kernel in kernels)
        {
            string notebook = Path.Combine(server.Root, $"sleep-{kernel}.ipynb");
            File.WriteAllText(notebook, Notebooks.Of(["import time", "time.sleep(100000)"]));
            _ = server.Post("/v1/notebooks/run", new JsonObject { ["path"] = notebook, ["kernel"] = kernel }.ToJsonString());
        }

        server.WaitFor(() => server.AreInState("running", kernels.Length) && server.AreInState("succeeded", kernels.Length), everyMs: 50);
    }

    private static void Measure(BenchRun run, HoldfastServer server, int[] supervisors, Figure cpu, Figure memory, Figure? ofSupervisors)
    {
        TimeSpan window = TimeSpan.FromSeconds(run.Size(15, 1));
        for (int round = 0; round < run.Rounds; round++)
        {
            TimeSpan before = ProcessCpu.Of(server.Pid);
            TimeSpan supervisorsBefore = ProcessCpu.Of(supervisors);
            Thread.Sleep(window);
            cpu.Add(100 * (ProcessCpu.Of(server.Pid) - before) / window);
            memory.Add(ProcessMemory.ResidentMb(server.Pid));
            ofSupervisors?.Add(100 * (ProcessCpu.Of(supervisors) - supervisorsBefore) / window);
        }
    }
}
