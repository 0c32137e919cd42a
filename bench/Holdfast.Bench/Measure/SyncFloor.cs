using System.Diagnostics;
using Holdfast.Protocol.Processes;

namespace Holdfast.Bench.Measure;

/// <summary>
/// What one durable write costs here, one caller at a time. In place: 4 KiB over a file that has its size already, which is all that a log
/// pays that reuses its file. At the end: 200 bytes that make the file longer, so that its length has to be synced too.
/// </summary>
internal static unsafe class SyncFloor
{
    private const int AppendBytes = 200;
    private const int PageBytes = 4096;
    private const int Pages = 256;

    public static Percentiles InPlace(string folder, int count) => Run(folder, count, isInPlace: true);

    public static Percentiles AtEnd(string folder, int count) => Run(folder, count, isInPlace: false);

    private static Percentiles Run(string folder, int count, bool isInPlace)
    {
        string path = Path.Combine(folder, "sync.floor");
        int file = Libc.Open(path, Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenTruncate | Libc.OpenCloseOnExec, 0x180);
        byte* page = stackalloc byte[PageBytes];
        for (int i = 0; isInPlace && i < Pages; i++)
        {
            _ = Libc.Write(file, page, PageBytes);
        }

        _ = Libc.Fsync(file);
        var times = new List<TimeSpan>(count);
        for (int i = 0; i < count; i++)
        {
            long start = Stopwatch.GetTimestamp();
            var part = new IoVector { Start = page, Length = (nuint)(isInPlace ? PageBytes : AppendBytes) };
            long offset = isInPlace ? i % Pages * (long)PageBytes : i * (long)AppendBytes;
            if (Libc.PWriteV(file, &part, 1, offset) < 0 || Libc.Fdatasync(file) != 0)
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
