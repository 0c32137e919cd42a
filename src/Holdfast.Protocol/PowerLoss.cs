using System.Diagnostics;

namespace Holdfast.Protocol;

/// <summary>
/// Lets a death at a crash point be that of the machine, for a kill alone never shows that a sync is missing: what was written to a journal
/// and not synced is cut off. In a build with CRASH_POINTS, and where HOLDFAST_CRASH_LOSES is set; in any other build a call compiles to
/// nothing.
/// </summary>
internal static class PowerLoss
{
    /// <summary>How much of each journal's segment is durable, by its path. Guards itself.</summary>
    private static readonly Dictionary<string, long>? Durable = Environment.GetEnvironmentVariable("HOLDFAST_CRASH_LOSES")
        is { Length: > 0 }
        ? new(StringComparer.Ordinal)
        : null;

    /// <summary>Something was written to the file; nothing of it is durable but what was synced.</summary>
    [Conditional("CRASH_POINTS")]
    public static void Wrote(int file)
    {
        if (Durable is not null && PathOf(file) is { } path)
        {
            lock (Durable)
            {
                _ = Durable.TryAdd(path, 0);
            }
        }
    }

    /// <summary>All that is in the file has been synced.</summary>
    [Conditional("CRASH_POINTS")]
    public static void Synced(int file)
    {
        if (Durable is not null && PathOf(file) is { } path)
        {
            lock (Durable)
            {
                Durable[path] = new FileInfo(path).Length;
            }
        }
    }

    /// <summary>Now: what is durable stays.</summary>
    [Conditional("CRASH_POINTS")]
    public static void Strike()
    {
        if (Durable is null)
        {
            return;
        }

        lock (Durable)
        {
            foreach ((string path, long length) in Durable)
            {
                if (File.Exists(path) && new FileInfo(path).Length > length)
                {
                    using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
                    file.SetLength(length);
                }
            }
        }
    }

    private static string? PathOf(int file) =>
        new FileInfo(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/proc/self/fd/{file}")).LinkTarget;
}
