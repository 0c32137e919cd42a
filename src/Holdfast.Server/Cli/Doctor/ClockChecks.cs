using System.Globalization;
using System.Runtime.InteropServices;
using Holdfast.Engine.Store;

namespace Holdfast.Server.Cli.Doctor;

/// <summary>
/// Whether the clock can be believed: times of executions, expiries of tokens and schedules of callbacks go by it. Durations and deadlines
/// of running work do not.
/// </summary>
internal static partial class ClockChecks
{
    private const string Remedy = "let it be kept by a time service: timedatectl set-ntp true";
    private static readonly TimeSpan FutureMax = TimeSpan.FromMinutes(2);

    public static Finding Check(DataDirectoryPaths paths, TimeProvider time)
    {
        DateTimeOffset now = time.GetUtcNow();
        if (Latest(paths) is { } latest && latest - now > FutureMax)
        {
            return Finding.Problem(
                "clock",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"it says {now:u}, and files of the data directory were written at {latest:u}: it was set back"
                ),
                Remedy
            );
        }

        return IsKept() switch
        {
            true => Finding.Ok("clock", string.Create(CultureInfo.InvariantCulture, $"{now:u}, kept by a time service")),
            false => Finding.Warning(
                "clock",
                string.Create(CultureInfo.InvariantCulture, $"{now:u}, and no time service keeps it"),
                Remedy
            ),
            null => Finding.Ok("clock", string.Create(CultureInfo.InvariantCulture, $"{now:u}")),
        };
    }

    private static DateTimeOffset? Latest(DataDirectoryPaths paths)
    {
        var files = new[] { paths.Database, paths.Database + "-wal", paths.ServerRecord }
            .Where(File.Exists)
            .Select(static p => new DateTimeOffset(File.GetLastWriteTimeUtc(p)))
            .ToList();
        return files.Count > 0 ? files.Max() : null;
    }

    /// <summary>What the kernel was told by whoever keeps it; null when it does not say.</summary>
    private static unsafe bool? IsKept()
    {
        const int timexBytes = 512; // More than any struct timex; its first int, the modes, is 0: only read.
        const int unsynchronised = 5; // TIME_ERROR
        byte* timex = stackalloc byte[timexBytes];
        new Span<byte>(timex, timexBytes).Clear();
        int state = AdjTimeX(timex);
        return state < 0 ? null : state != unsynchronised;
    }

    [LibraryImport("libc", EntryPoint = "adjtimex")]
    private static unsafe partial int AdjTimeX(byte* timex);
}
