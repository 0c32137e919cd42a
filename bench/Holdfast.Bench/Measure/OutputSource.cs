using System.Diagnostics;
using System.Globalization;
using System.Text;
using Holdfast.Bench.Processes;
using Holdfast.Protocol.Processes;

namespace Holdfast.Bench.Measure;

/// <summary>A command that writes so many bytes of known content as fast as it can, and what it costs to put them into a file with `cat`.</summary>
internal static class OutputSource
{
    private const string Line = "all work and no play makes the journal a dull and long one, says the clerk of the house";
    private static readonly byte[] Pattern = Encoding.ASCII.GetBytes(Line + "\n");

    public static string Command(long bytes) => string.Create(CultureInfo.InvariantCulture, $"yes '{Line}' | head -c {bytes}");

    /// <summary>`| cat > file`.</summary>
    public static TimeSpan CatToFile(Sandbox sandbox, long bytes)
    {
        string file = Path.Combine(sandbox.Folder, "cat.floor");
        Settle(sandbox.Folder);
        long start = Stopwatch.GetTimestamp();
        _ = sandbox.Run(["sh", "-c", $"{Command(bytes)} | cat > {file}"]);
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        File.Delete(file);
        return elapsed;
    }

    /// <summary>True when these are the bytes that stand at that offset of the command's output.</summary>
    public static bool IsAt(long offset, ReadOnlySpan<byte> bytes)
    {
        int phase = (int)(offset % Pattern.Length);
        while (!bytes.IsEmpty)
        {
            int count = Math.Min(bytes.Length, Pattern.Length - phase);
            if (!bytes[..count].SequenceEqual(Pattern.AsSpan(phase, count)))
            {
                return false;
            }

            bytes = bytes[count..];
            phase = 0;
        }

        return true;
    }

    /// <summary>Writes out what earlier measuring left dirty, so that it is not charged to the next.</summary>
    public static void Settle(string folder)
    {
        int file = Libc.Open(folder, Libc.OpenReadOnly | Libc.OpenCloseOnExec, 0);
        _ = Native.SyncFileSystem(file);
        _ = Libc.Close(file);
    }
}
