using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Attempts;

/// <summary>
/// A thread that syncs the journal's newest segments when asked, on a descriptor of its own, while the loop goes on appending. Only started for jobs
/// that say much: the others never pay for it. Its failures are not reported here: the loop's own sync, which ends every attempt, finds them too.
/// </summary>
internal sealed class SyncBehind : IDisposable
{
    private const int StackBytes = 128 * 1024;
    private readonly string _directory;
    private readonly AutoResetEvent _asked = new(false);
    private volatile bool _isStopped;
    private string _from = "";

    public SyncBehind(string journalDirectory)
    {
        _directory = journalDirectory;
        new Thread(Run, StackBytes) { IsBackground = true, Name = "sync" }.Start();
    }

    public void Ask() => _asked.Set();

    /// <summary>Lets the thread end after the sync it may be in. The event itself is left to the collector: the thread may be about to wait on it.</summary>
    public void Dispose()
    {
        _isStopped = true;
        _asked.Set();
    }

    private void Run()
    {
        while (true)
        {
            _asked.WaitOne();
            if (_isStopped)
            {
                return;
            }

            SyncSegments();
        }
    }

    /// <summary>Every segment from the last one on that was not complete when it was synced: those that have been completed since, and the one being written.</summary>
    private void SyncSegments()
    {
        string[] files = Directory.GetFiles(_directory, "*.hfj");
        Array.Sort(files, string.CompareOrdinal); // Names are positions of fixed width, so the order of the texts is that of the segments.
        foreach (string file in files)
        {
            if (string.CompareOrdinal(file, _from) < 0)
            {
                continue;
            }

            int fd = Libc.Open(file, Libc.OpenReadOnly | Libc.OpenCloseOnExec, 0);
            if (fd >= 0)
            {
                _ = Libc.Fdatasync(fd);
                _ = Libc.Close(fd);
            }

            _from = file;
        }
    }
}
