using System.Globalization;

namespace Holdfast.Engine.Kernels.Life;

/// <summary>
/// Reads from /proc what everything below a supervisor uses. A process that ends while it is looked at is left out; the processor time of
/// those that ended before, and were waited for, is in their parents'.
/// </summary>
internal static class ProcessTreeReader
{
    private const int UserTicks = 11; // Counted from the state, which is the first field after the command's name.
    private const int SystemTicks = 12;
    private const int EndedUserTicks = 13;
    private const int EndedSystemTicks = 14;
    private const double TicksPerSecond = 100; // USER_HZ, which is 100 on every Linux that .NET runs on.

    /// <summary>The sums over all descendants of a process, itself not counted.</summary>
    public static UsageSample Read(int root, long timestamp)
    {
        long memory = 0;
        double cpu = 0;
        int processes = 0;
        foreach (int pid in Descendants(root))
        {
            if (CpuSeconds(pid) is { } seconds)
            {
                cpu += seconds;
                memory += MemoryBytes(pid);
                processes++;
            }
        }

        return new UsageSample(memory, cpu, processes, timestamp);
    }

    internal static List<int> Descendants(int root)
    {
        List<int> found = [];
        AddChildren(root, found);
        for (int i = 0; i < found.Count; i++)
        {
            AddChildren(found[i], found);
        }

        return found;
    }

    /// <summary>Children belong to the thread that made them.</summary>
    private static void AddChildren(int parent, List<int> found)
    {
        try
        {
            foreach (string task in Directory.EnumerateDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{parent}/task")))
            {
                foreach (string child in File.ReadAllText(task + "/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
                {
                    found.Add(int.Parse(child, CultureInfo.InvariantCulture));
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has ended.
        }
    }

    /// <summary>Null for one that is gone, or only waits to be waited for.</summary>
    public static double? CpuSeconds(int pid)
    {
        try
        {
            string text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X"
                ? null
                : (Ticks(fields, UserTicks) + Ticks(fields, SystemTicks) + Ticks(fields, EndedUserTicks) + Ticks(fields, EndedSystemTicks))
                    / TicksPerSecond;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static long Ticks(string[] fields, int index) => long.Parse(fields[index], CultureInfo.InvariantCulture);

    /// <summary>The proportional set size; the resident one where that may not be read.</summary>
    private static long MemoryBytes(int pid)
    {
        string folder = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}");
        return Kilobytes(folder + "/smaps_rollup", "Pss:") ?? Kilobytes(folder + "/status", "VmRSS:") ?? 0;
    }

    private static long? Kilobytes(string file, string name)
    {
        try
        {
            foreach (string line in File.ReadLines(file))
            {
                if (line.StartsWith(name, StringComparison.Ordinal))
                {
                    return 1024 * long.Parse(line[name.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone, or another user's.
        }

        return null;
    }
}
