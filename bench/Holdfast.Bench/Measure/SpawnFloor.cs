using System.Diagnostics;
using Holdfast.Bench.Processes;

namespace Holdfast.Bench.Measure;

/// <summary>What one process costs here: posix_spawn of `true`, and wait for it, one after the other.</summary>
internal static class SpawnFloor
{
    public static Percentiles Run(Sandbox sandbox, int count)
    {
        string[] command = ["true"];
        string[] environment = sandbox.Variables([]);
        var times = new List<TimeSpan>(count);
        for (int i = 0; i < count; i++)
        {
            long start = Stopwatch.GetTimestamp();
            _ = sandbox.StartWith(command, environment).Wait();
            times.Add(Stopwatch.GetElapsedTime(start));
        }

        return new Percentiles(times);
    }
}
