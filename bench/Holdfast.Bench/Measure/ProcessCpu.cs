using System.Globalization;

namespace Holdfast.Bench.Measure;

/// <summary>
/// CPU time that a process has used, threads that ended included, from its own clock: in nanoseconds, where /proc/PID/stat counts in ticks
/// of 10 ms. CPU per operation is what a busy machine disturbs least.
/// </summary>
internal static unsafe class ProcessCpu
{
    private const int SchedulerClock = 2; // CPUCLOCK_SCHED; a process's clock is the complement of its pid above it (clock_getcpuclockid).

    /// <summary>Zero for a process that is gone.</summary>
    public static TimeSpan Of(int pid)
    {
        Native.TimeSpec time;
        return Native.ClockGetTime((~pid << 3) | SchedulerClock, &time) == 0
            ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromTicks(time.Nanoseconds / 100)
            : TimeSpan.Zero;
    }

    public static TimeSpan Of(IEnumerable<int> pids) => pids.Aggregate(TimeSpan.Zero, (sum, pid) => sum + Of(pid));

    /// <summary>
    /// How often its threads have gone to sleep: what a hand-over from thread to thread costs is counted here, and no neighbour changes it.
    /// Ended threads are not in it.
    /// </summary>
    public static long Sleeps(int pid)
    {
        long sleeps = 0;
        foreach (string thread in Directory.EnumerateDirectories($"/proc/{pid}/task"))
        {
            try
            {
                string? line = File.ReadLines(thread + "/status")
                    .FirstOrDefault(l => l.StartsWith("voluntary_ctxt_switches:", StringComparison.Ordinal));
                sleeps += line is null ? 0 : Ticks(line.Split(':')[1].Trim());
            }
            catch (IOException)
            {
                // The thread has just ended.
            }
        }

        return sleeps;
    }

    /// <summary>What the children that the process has waited for used, in the ticks of proc(5).</summary>
    public static TimeSpan OfWaitedChildren(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return TimeSpan.FromMilliseconds(10 * (Ticks(fields[13]) + Ticks(fields[14])));
        }
        catch (IOException)
        {
            return TimeSpan.Zero;
        }
    }

    private static long Ticks(string field) => long.Parse(field, CultureInfo.InvariantCulture);
}
