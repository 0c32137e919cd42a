using System.Globalization;

namespace Holdfast.Soak.Books;

/// <summary>What the server and the disk use, looked at now and then; in the end compared by thirds of the run.</summary>
internal sealed class Samples(House house, TimeSpan serverAgeMin)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private readonly List<(double At, long Rss, long Handles, bool IsServerGrown, long Disk)> _all = [];

    public async Task RunAsync(CancellationToken until)
    {
        using var timer = new PeriodicTimer(Interval, TimeProvider.System);
        long start = TimeProvider.System.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(until))
            {
                bool isGrown = house.UpSince is { } since && TimeProvider.System.GetElapsedTime(since) > serverAgeMin;
                (long rss, long handles) = isGrown ? Look(house.Server.Process.Id) : (0, 0);
                _all.Add((TimeProvider.System.GetElapsedTime(start).TotalSeconds, rss, handles, rss > 0, SizeOf(house.Server.Data)));
            }
        }
        catch (OperationCanceledException) when (until.IsCancellationRequested)
        {
            // The time is up.
        }
    }

    /// <summary>The medians of the three thirds; 0 where there was nothing to look at.</summary>
    public long[] RssByThird => ByThird(static s => s.IsServerGrown ? s.Rss : null);

    public long[] HandlesByThird => ByThird(static s => s.IsServerGrown ? s.Handles : null);

    public long[] DiskByThird => ByThird(static s => s.Disk);

    /// <summary>What lies in a folder, file by file; a file that goes meanwhile counts nothing.</summary>
    public static long SizeOf(string folder)
    {
        long size = 0;
        try
        {
            foreach (
                FileInfo file in new DirectoryInfo(folder).EnumerateFiles(
                    "*",
                    new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint }
                )
            )
            {
                try
                {
                    size += file.Length;
                }
                catch (FileNotFoundException)
                {
                    // Gone since.
                }
            }
        }
        catch (DirectoryNotFoundException)
        {
            // A folder that went while it was walked through.
        }

        return size;
    }

    private static (long Rss, long Handles) Look(int pid)
    {
        try
        {
            string line =
                Array.Find(
                    File.ReadAllLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/status")),
                    static l => l.StartsWith("VmRSS:", StringComparison.Ordinal)
                ) ?? "";
            long rss =
                line.Length == 0
                    ? 0
                    : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
            return (rss, Directory.GetFiles(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/fd")).Length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (0, 0);
        }
    }

    private long[] ByThird(Func<(double At, long Rss, long Handles, bool IsServerGrown, long Disk), long?> value)
    {
        double end = _all.Count == 0 ? 0 : _all[^1].At;
        var thirds = new long[3];
        for (int third = 0; third < 3; third++)
        {
            (double from, double to) = (end * third / 3, end * (third + 1) / 3);
            long[] values = [.. _all.Where(s => s.At > from && s.At <= to).Select(value).OfType<long>().Order()];
            thirds[third] = values.Length == 0 ? 0 : values[values.Length / 2];
        }

        return thirds;
    }
}
