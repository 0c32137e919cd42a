namespace Holdfast.Protocol.Processes;

/// <summary>
/// Small files that are whole or absent: temporary name, write, fdatasync, rename, directory fsync, in this order.
/// A crash leaves either the old file, or the new one, and perhaps a <c>.tmp</c> beside it that the next write replaces.
/// </summary>
public static class DurableFile
{
    private const int OwnerReadWrite = 0x180; // 0600

    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        Rename(path, content, isSynced: true);
        SyncDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>
    /// The same without the syncs: whole or absent for every process, whoever is killed and when, but a power cut may take it. For files whose content
    /// is durable elsewhere, or means nothing after a restart of the machine.
    /// </summary>
    public static void Replace(string path, ReadOnlySpan<byte> content) => Rename(path, content, isSynced: false);

    private static unsafe void Rename(string path, ReadOnlySpan<byte> content, bool isSynced)
    {
        string temporary = path + ".tmp";
        int fd = Libc.Open(temporary, Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenTruncate | Libc.OpenCloseOnExec, OwnerReadWrite);
        if (fd < 0)
        {
            throw Libc.Failure("open", temporary);
        }

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
        finally
        {
            _ = Libc.Close(fd);
        }

        if (Libc.Rename(temporary, path) != 0)
        {
            throw Libc.Failure("rename", path);
        }
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
