using System.Globalization;

namespace Holdfast.Bench.Measure;

/// <summary>A process's memory as the kernel counts it, in megabytes of 2^20 bytes.</summary>
internal static class ProcessMemory
{
    public static double ResidentMb(int pid) => Field($"/proc/{pid}/status", "VmRSS:");

    /// <summary>Its own pages, and its share of those it shares.</summary>
    public static double ProportionalMb(int pid) => Field($"/proc/{pid}/smaps_rollup", "Pss:");

    public static double PeakMb(int pid) => Field($"/proc/{pid}/status", "VmHWM:");

    /// <summary>Lets the peak begin again at what is resident now.</summary>
    public static void ResetPeak(int pid) => File.WriteAllText($"/proc/{pid}/clear_refs", "5");

    private static double Field(string file, string name)
    {
        foreach (string line in File.ReadLines(file))
        {
            if (line.StartsWith(name, StringComparison.Ordinal))
            {
                return double.Parse(line[name.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture) / 1024;
            }
        }

        throw new IOException($"{file} has no {name}");
    }
}
