using Holdfast.Protocol.Processes;

namespace Holdfast.Protocol.Journal;

/// <summary>
/// Hands a journal to the disk that somebody else writes, another thread or another process: on descriptors of its own, from the segment on that was being written when it last looked.
/// One caller at a time. A segment that cannot be opened or synced is passed over: the writer's own sync finds that, too, and tells it.
/// </summary>
public sealed class JournalSync(string directory)
{
    private string _from = "";

    /// <summary>Everything that was in the journal when this was called is durable when it returns true.</summary>
    public bool Run()
    {
        string[] files = Directory.GetFiles(directory, "*.hfj");
        Array.Sort(files, string.CompareOrdinal); // Names are positions of fixed width, so the order of the texts is that of the segments.
        bool isSynced = true;
        foreach (string file in files)
        {
            if (string.CompareOrdinal(file, _from) < 0)
            {
                continue;
            }

            int fd = Libc.Open(file, Libc.OpenReadOnly | Libc.OpenCloseOnExec, 0);
            isSynced &= fd >= 0 && Libc.Fdatasync(fd) == 0;
            if (fd >= 0)
            {
                _ = Libc.Close(fd);
            }

            _from = file;
        }

        return isSynced;
    }
}
