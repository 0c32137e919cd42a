using Holdfast.Protocol.Processes;

namespace Holdfast.Protocol.Journal;

/// <summary>
/// Syncs segments, and never again after it has failed once: the kernel drops the pages it could not write and calls the next sync a
/// success, so a second try would lie.
/// </summary>
internal sealed class SegmentSync
{
    public bool HasFailed { get; private set; }

    /// <summary>0 when everything in the file would survive a power failure, else an errno.</summary>
    public int Run(int file)
    {
        while (!HasFailed)
        {
            if (Libc.Fdatasync(file) == 0)
            {
                PowerLoss.Synced(file);
                return 0;
            }

            HasFailed = Libc.Errno != Libc.Eintr;
        }

        return Libc.Eio;
    }
}
