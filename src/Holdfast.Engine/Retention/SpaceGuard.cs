using System.Globalization;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Retention;

/// <summary>
/// Keeps the last of the disk for work that runs: below the low mark it warns, below the last one new work is refused. Looked at when work comes, never by a clock.
/// </summary>
public sealed class SpaceGuard(string folder, StateStore store, FeedLog feed, TimeProvider time, Func<string, (long Free, long Total)>? measure = null)
{
    private const long LowBytes = 1L << 30;
    private const long LastBytes = 256L << 20;

    /// <summary>On a small disk a share of it counts: one that is smaller than the marks must still be of use.</summary>
    private const double LowShare = 0.05;
    private const double LastShare = 0.01;

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private readonly Func<string, (long Free, long Total)> _measure = measure ?? Measure;
    private readonly Lock _lock = new();
    private long? _lookedAt; // guarded by _lock, as is all below
    private (long Free, long Total) _space;
    private bool _isLow;

    /// <summary>Refused: disk-full.</summary>
    public void ThrowIfFull()
    {
        (long free, long total) = Look();
        if (free < Math.Min(LastBytes, total * LastShare))
        {
            throw new RefusedException(ErrorCodes.DiskFull, string.Create(CultureInfo.InvariantCulture,
                $"Only {free >> 20} MiB are left on the disk of {folder}. They are kept for the work that runs, and no new work is taken until there is more. Free some space, or keep less: holdfast serve --keep-output."));
        }
    }

    private (long Free, long Total) Look()
    {
        bool? changed = null;
        lock (_lock)
        {
            if (_lookedAt is { } at && time.GetElapsedTime(at) < Fresh)
            {
                return _space;
            }

            _lookedAt = time.GetTimestamp();
            _space = _measure(folder);
            bool isLow = _space.Free < Math.Min(LowBytes, _space.Total * LowShare);
            if (isLow != _isLow)
            {
                _isLow = isLow;
                changed = isLow;
            }
        }

        if (changed is { } low)
        {
            _ = TellAsync(low, _space.Free);
        }

        return _space;
    }

    private async Task TellAsync(bool isLow, long free)
    {
        try
        {
            await store.WriteAsync(
                transaction => feed.Append(transaction, isLow ? "disk.low" : "disk.enough", "disk", writer => writer.WriteNumber("freeBytes", free)), CancellationToken.None);
        }
        catch (StoreException)
        {
            // A disk that cannot even take the warning is known by other means.
        }
    }

    private static (long Free, long Total) Measure(string folder)
    {
        var drive = new DriveInfo(folder);
        return (drive.AvailableFreeSpace, drive.TotalSize);
    }
}
