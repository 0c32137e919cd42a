using System.Diagnostics;
using Holdfast.Protocol.Processes;

namespace Holdfast.Bench.Measure;

/// <summary>What one durable append costs here: write 200 bytes at the end of a file, fdatasync, again. The least that any log pays, one caller at a time.</summary>
internal static unsafe class SyncFloor
{
    private const int RecordBytes = 200;

    public static Percentiles Run(string folder, int count)
    {
        string path = Path.Combine(folder, "sync.floor");
        int file = Libc.Open(path, Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenAppend | Libc.OpenTruncate | Libc.OpenCloseOnExec, 0x180);
        byte* record = stackalloc byte[RecordBytes];
        var times = new List<TimeSpan>(count);
        for (int i = 0; i < count; i++)
        {
            long start = Stopwatch.GetTimestamp();
            if (Libc.Write(file, record, RecordBytes) != RecordBytes || Libc.Fdatasync(file) != 0)
            {
                throw Libc.Failure("write or fdatasync", path);
            }

            times.Add(Stopwatch.GetElapsedTime(start));
        }

        _ = Libc.Close(file);
        File.Delete(path);
        return new Percentiles(times);
    }
}
