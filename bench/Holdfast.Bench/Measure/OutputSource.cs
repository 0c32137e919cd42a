using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Holdfast.Bench.Processes;
using Holdfast.Protocol.Processes;

namespace Holdfast.Bench.Measure;

/// <summary>
/// A command that writes so many bytes of known content as fast as it can, and what it costs to put them into a file with `cat`.
/// </summary>
internal static class OutputSource
{
    private const string Line = "all work and no play makes the journal a dull and long one, says the clerk of the house";
    private static readonly byte[] Pattern = Encoding.ASCII.GetBytes(Line + "\n");

    public static string Command(long bytes) => string.Create(CultureInfo.InvariantCulture, $"yes '{Line}' | head -c {bytes}");

    /// <summary>
    /// `| cat > file`: until the command has ended, which may leave all of it in memory, and until an fdatasync of the file after that.
    /// </summary>
    public static (TimeSpan Written, TimeSpan Synced) CatToFile(Sandbox sandbox, long bytes)
    {
        string file = Path.Combine(sandbox.Folder, "cat.floor");
        Settle(sandbox.Folder, bytes);
        long start = Stopwatch.GetTimestamp();
        _ = sandbox.Run(["sh", "-c", $"{Command(bytes)} | cat > {file}"]);
        TimeSpan written = Stopwatch.GetElapsedTime(start);
        int descriptor = Libc.Open(file, Libc.OpenReadOnly | Libc.OpenCloseOnExec, 0);
        _ = Libc.Fdatasync(descriptor);
        TimeSpan synced = Stopwatch.GetElapsedTime(start);
        _ = Libc.Close(descriptor);
        File.Delete(file);
        return (written, synced);
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

    /// <summary>
    /// Writes out what earlier measuring left dirty, so that it is not charged to the next. And fetches as much memory as the next will
    /// fill, and gives it back: a virtual machine may have handed free memory to its host, and whoever fills it first after that pays
    /// several times what the writing costs.
    /// </summary>
    public static unsafe void Settle(string folder, long bytes)
    {
        int file = Libc.Open(folder, Libc.OpenReadOnly | Libc.OpenCloseOnExec, 0);
        _ = Native.SyncFileSystem(file);
        _ = Libc.Close(file);

        const int pageBytes = 4096;
        byte* memory = (byte*)NativeMemory.Alloc((nuint)bytes);
        for (long at = 0; at < bytes; at += pageBytes)
        {
            memory[at] = 1;
        }

        NativeMemory.Free(memory);
    }
}
