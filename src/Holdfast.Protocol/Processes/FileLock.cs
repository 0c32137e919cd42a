namespace Holdfast.Protocol.Processes;

/// <summary>
/// An exclusive flock held for the life of this object, and so at most for the life of the process: the one exact proof of life
/// in the house. Close-on-exec, so no child inherits it and keeps it held.
/// </summary>
public sealed class FileLock : IDisposable
{
    private int _fd;

    private FileLock(int fd) => _fd = fd;

    /// <summary>Takes the lock, creating the file; null when another process holds it.</summary>
    public static FileLock? TryAcquire(string path)
    {
        int fd = Libc.Open(path, Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenCloseOnExec, Libc.OwnerReadWrite);
        if (fd < 0)
        {
            throw Libc.Failure("open", path);
        }

        if (TryFlock(fd, Libc.LockExclusive))
        {
            return new FileLock(fd);
        }

        _ = Libc.Close(fd);
        return null;
    }

    /// <summary>
    /// True when some process holds the lock now. A missing file is not held. Takes it for an instant to find out, shared, so that two who
    /// look do not see one another.
    /// </summary>
    public static bool IsHeld(string path)
    {
        // A FIFO in its place must not make us wait.
        int fd = Libc.Open(path, Libc.OpenReadOnly | Libc.OpenCloseOnExec | Libc.OpenNonBlock, 0);
        if (fd < 0)
        {
            return false;
        }

        bool isFree = TryFlock(fd, Libc.LockShared);
        LetGo(fd);
        return !isFree;
    }

    public void Dispose()
    {
        int fd = Interlocked.Exchange(ref _fd, -1);
        if (fd >= 0)
        {
            LetGo(fd);
        }
    }

    /// <summary>
    /// Said, and not left to the close: a child that another thread is starting has the descriptor, and the lock with it, until it becomes
    /// another program.
    /// </summary>
    private static void LetGo(int fd)
    {
        _ = Libc.Flock(fd, Libc.LockNone);
        _ = Libc.Close(fd);
    }

    private static bool TryFlock(int fd, int kind)
    {
        while (Libc.Flock(fd, kind | Libc.LockNonBlocking) != 0)
        {
            if (Libc.Errno != Libc.Eintr)
            {
                return false;
            }
        }

        return true;
    }
}
