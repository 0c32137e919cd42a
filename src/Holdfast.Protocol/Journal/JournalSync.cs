using Holdfast.Protocol.Processes;

namespace Holdfast.Protocol.Journal;

/// <summary>
/// Hands a journal to the disk that somebody else writes, another thread or another process: on descriptors of its own, from the segment on
/// that was being written when it last looked. One caller at a time. A segment that cannot be opened or synced is passed over: the writer's
/// own sync finds that, too, and tells it.
/// </summary>
public sealed class JournalSync(string directory)
{
    private long _from;

    /// <summary>Everything that was in the journal when this was called is durable when it returns true.</summary>
    /// <param name="letGoBefore">What is durable and lies before this position the system may drop from its memory: a kernel that says
    /// gigabytes is not to push everything else out.</param>
    public bool Run(long letGoBefore = 0)
    {
        long[] segments = JournalFormat.ListSegments(directory);
        bool isSynced = segments.Length > 0;
        foreach (long segment in segments)
        {
            if (segment < _from)
            {
                continue;
            }

            int fd = Libc.Open(JournalFormat.SegmentPath(directory, segment), Libc.OpenReadOnly | Libc.OpenCloseOnExec, 0);
            isSynced &= fd >= 0 && Libc.Fdatasync(fd) == 0;
            if (fd >= 0)
            {
                PowerLoss.Synced(fd);
                if (letGoBefore > segment)
                {
                    _ = Libc.FileAdvise(fd, 0, letGoBefore - segment, Libc.AdviseDontNeed);
                }

                _ = Libc.Close(fd);
            }

            _from = segment;
        }

        return isSynced;
    }
}
