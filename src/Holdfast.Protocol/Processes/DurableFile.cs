namespace Holdfast.Protocol.Processes;

/// <summary>
/// Small files that are whole or absent: temporary name, write, fdatasync, rename, directory fsync, in this order.
/// A crash leaves either the old file, or the new one, and perhaps a <c>.tmp</c> beside it that the next write replaces.
/// </summary>
public static class DurableFile
{
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        Rename(path, content, isSynced: true);
        SyncDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>
    /// The same without the syncs: whole or absent for every process, whoever is killed and when, but a power cut may take it. For files
    /// whose content is durable elsewhere, or means nothing after a restart of the machine.
    /// </summary>
    public static void Replace(string path, ReadOnlySpan<byte> content) => Rename(path, content, isSynced: false);

    private static unsafe void Rename(string path, ReadOnlySpan<byte> content, bool isSynced)
    {
        int fd = Create(path, out string temporary);

        try
        {
            fixed (byte* start = content)
            {
                int written = 0;
                while (written < content.Length)
                {
                    nint n = Libc.Write(fd, start + written, (nuint)(content.Length - written));
                    if (n < 0 && Libc.Errno == Libc.Eintr)
                    {
                        continue;
                    }

                    if (n < 0)
                    {
                        throw Libc.Failure("write", temporary);
                    }

                    written += (int)n;
                }
            }

            if (isSynced && Libc.Fdatasync(fd) != 0)
            {
                throw Libc.Failure("fdatasync", temporary);
            }
        }
        catch
        {
            _ = Libc.Unlink(temporary); // Half of it takes room, and on a full disk that is what is missing.
            throw;
        }
        finally
        {
            _ = Libc.Close(fd);
        }

        if (Libc.Rename(temporary, path) != 0)
        {
            throw Libc.Failure("rename", path);
        }
    }

    /// <summary>
    /// The temporary file is always made anew: what lies there is an earlier write's, cut short, or something that must not be written
    /// through, such as a link or a FIFO. Where it cannot be removed, as a folder cannot, another name does.
    /// </summary>
    private static int Create(string path, out string temporary)
    {
        const int flags = Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenExclusive | Libc.OpenCloseOnExec;
        temporary = path + ".tmp";
        int fd = Libc.Open(temporary, flags, Libc.OwnerReadWrite);
        if (fd < 0 && Libc.Errno == Libc.Eexist && Libc.Unlink(temporary) == 0)
        {
            fd = Libc.Open(temporary, flags, Libc.OwnerReadWrite);
        }
        else if (fd < 0 && Libc.Errno is Libc.Eisdir)
        {
            temporary = path + ".other.tmp";
            _ = Libc.Unlink(temporary);
            fd = Libc.Open(temporary, flags, Libc.OwnerReadWrite);
        }

        return fd >= 0 ? fd : throw Libc.Failure("open", temporary);
    }

    /// <summary>Makes the names in a directory durable: creations, renames and deletions.</summary>
    public static void SyncDirectory(string directory)
    {
        int fd = Libc.Open(directory, Libc.OpenReadOnly | Libc.OpenDirectory | Libc.OpenCloseOnExec, 0);
        if (fd < 0)
        {
            throw Libc.Failure("open", directory);
        }

        try
        {
            if (Libc.Fsync(fd) != 0)
            {
                throw Libc.Failure("fsync", directory);
            }
        }
        finally
        {
            _ = Libc.Close(fd);
        }
    }
}
