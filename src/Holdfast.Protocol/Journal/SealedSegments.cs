using Holdfast.Protocol.Processes;

namespace Holdfast.Protocol.Journal;

/// <summary>
/// Segments that are complete and not yet synced, oldest first: a roll must not hold up whoever writes for as long as the disk takes. When
/// there are too many the oldest is synced here and now, which slows the writer to what the disk takes rather than letting the debt grow.
/// </summary>
internal sealed class SealedSegments(SegmentSync sync)
{
    // With 64 MiB each, a gigabyte may wait for the disk before the writer does.
    private const int CountMax = 16;

    private readonly SegmentWriter[] _segments = new SegmentWriter[CountMax];
    private int _count;

    /// <summary>
    /// Puts a segment aside; an errno when the oldest had to be synced for it and could not be, and then this one is not taken.
    /// </summary>
    public int Add(SegmentWriter segment)
    {
        if (_count == CountMax && SyncOldest() is int errno and not 0)
        {
            return errno;
        }

        _segments[_count++] = segment;
        return 0;
    }

    /// <summary>Syncs and closes all of them; 0 or an errno.</summary>
    public int SyncAll()
    {
        for (int i = 0; i < _count; i++)
        {
            if (sync.Run(_segments[i].File) is int errno and not 0)
            {
                return errno;
            }
        }

        Close();
        return 0;
    }

    /// <summary>Syncs and closes those that end at <paramref name="position"/> or before; 0 or an errno.</summary>
    public int SyncUpTo(long position)
    {
        while (_count > 0 && _segments[0].Position <= position)
        {
            if (SyncOldest() is int errno and not 0)
            {
                return errno;
            }
        }

        return 0;
    }

    /// <summary>Closes the files as they are.</summary>
    public void Close()
    {
        for (int i = 0; i < _count; i++)
        {
            _ = Libc.Close(_segments[i].File);
        }

        _count = 0;
    }

    private int SyncOldest()
    {
        int errno = sync.Run(_segments[0].File);
        if (errno != 0)
        {
            return errno;
        }

        _ = Libc.Close(_segments[0].File);
        _count--;
        Array.Copy(_segments, 1, _segments, 0, _count);
        return 0;
    }
}
