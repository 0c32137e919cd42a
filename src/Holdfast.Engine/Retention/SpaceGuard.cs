using Holdfast.Engine.Feed;
using Holdfast.Engine.Store;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Retention;

/// <summary>
/// Keeps the last of the disk for work that runs: below the low mark it warns, below the last one new work is refused. Looked at when work
/// comes, and beside the hourly look for what is old, since what runs fills a disk as well.
/// </summary>
public sealed partial class SpaceGuard(
    string folder,
    StateStore store,
    FeedLog feed,
    TimeProvider time,
    ILogger<SpaceGuard> logger,
    Func<string, (long Free, long Total)>? measure = null
)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private readonly Func<string, (long Free, long Total)> _measure = measure ?? Measure;
    private readonly Lock _lock = new();
    private long? _lookedAt; // guarded by _lock, as is all below
    private (long Free, long Total) _space;
    private SpaceState _state;

    /// <summary>Refused: disk-full.</summary>
    public void ThrowIfFull()
    {
        (long free, long total) = Look();
        if (SpaceMarks.Judge(free, total) == SpaceState.Last)
        {
            throw new RefusedException(
                ErrorCodes.DiskFull,
                $"Only {SpaceMarks.Text(free)} are left on the disk of {folder}. They are kept for the work that runs, and no new work is taken until there are {SpaceMarks.Text(SpaceMarks.Last(total))}. Free some space, or keep less: holdfast serve --keep-output."
            );
        }
    }

    /// <summary>Says, in the log and in the feed, when a mark was passed since the last look.</summary>
    public (long Free, long Total) Look()
    {
        SpaceState now;
        (long Free, long Total) space;
        lock (_lock)
        {
            if (_lookedAt is { } at && time.GetElapsedTime(at) < Fresh)
            {
                return _space;
            }

            _lookedAt = time.GetTimestamp();
            space = _space = _measure(folder);
            now = SpaceMarks.Judge(space.Free, space.Total);
            if (now == _state)
            {
                return space;
            }

            _state = now;
            Say(now, space.Free, space.Total);
        }

        _ = TellAsync(now, space.Free);
        return space;
    }

    private void Say(SpaceState state, long free, long total)
    {
        string left = SpaceMarks.Text(free);
        switch (state)
        {
            case SpaceState.Last:
                Log.Last(logger, left, folder);
                break;
            case SpaceState.Low:
                Log.Low(logger, left, folder, SpaceMarks.Text(SpaceMarks.Last(total)));
                break;
            default:
                Log.Enough(logger, left, folder);
                break;
        }
    }

    private async Task TellAsync(SpaceState state, long free)
    {
        string kind = state switch
        {
            SpaceState.Last => "disk.full",
            SpaceState.Low => "disk.low",
            _ => "disk.enough",
        };
        try
        {
            await store.WriteAsync(
                transaction => feed.Append(transaction, kind, "disk", writer => writer.WriteNumber("freeBytes", free)),
                CancellationToken.None
            );
        }
        catch (StoreException)
        {
            // A disk that cannot even take the warning: the log has it.
        }
    }

    private static (long Free, long Total) Measure(string folder)
    {
        var drive = new DriveInfo(folder);
        return (drive.AvailableFreeSpace, drive.TotalSize);
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.SpaceLow,
            LogLevel.Warning,
            "Only {Left} are left on the disk of {Folder}. Below {Last} no new work is taken; free some space."
        )]
        public static partial void Low(ILogger logger, string left, string folder, string last);

        [LoggerMessage(
            EventIds.SpaceLast,
            LogLevel.Error,
            "Only {Left} are left on the disk of {Folder}: no new work is taken, so that what runs can go on. Free some space."
        )]
        public static partial void Last(ILogger logger, string left, string folder);

        [LoggerMessage(EventIds.SpaceEnough, LogLevel.Information, "There is enough room again on the disk of {Folder}: {Left}.")]
        public static partial void Enough(ILogger logger, string left, string folder);
    }
}
