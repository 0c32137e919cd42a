using System.Globalization;
using System.Runtime.InteropServices;

namespace Holdfast.Bench.Report;

/// <summary>Where and when figures were taken: without it they say nothing.</summary>
internal static class Machine
{
    public static IEnumerable<(string Name, string Value)> Describe(string dataFolder)
    {
        yield return ("date", DateTimeOffset.UtcNow.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture));
        yield return ("processor", $"{Environment.ProcessorCount} x {Field("/proc/cpuinfo", "model name")}");
        yield return (
            "memory",
            $"{long.Parse(Field("/proc/meminfo", "MemTotal").Split(' ')[0], CultureInfo.InvariantCulture) / 1024 / 1024} GiB"
        );
        yield return ("system", $"{Field("/etc/os-release", "PRETTY_NAME", '=').Trim('"')}, Linux {Environment.OSVersion.Version}");
        yield return ("runtime", RuntimeInformation.FrameworkDescription);
        yield return ("file system", FileSystemOf(dataFolder));
        yield return ("load before", File.ReadAllText("/proc/loadavg").Trim());
    }

    private static string Field(string file, string name, char separator = ':') =>
        File.ReadLines(file).FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal))?.Split(separator, 2)[1].Trim() ?? "unknown";

    private static string FileSystemOf(string folder)
    {
        var best = (Point: "", Text: "unknown");
        foreach (string line in File.ReadLines("/proc/self/mounts"))
        {
            string[] fields = line.Split(' ');
            if (fields[1].Length > best.Point.Length && (folder + "/").StartsWith(fields[1].TrimEnd('/') + "/", StringComparison.Ordinal))
            {
                best = (fields[1], $"{fields[2]} on {fields[0]}");
            }
        }

        return best.Text;
    }
}
