namespace Holdfast.Protocol.Processes;

/// <summary>
/// Small files that are whole or absent: temporary name, write, fdatasync, rename, directory fsync, in this order.
/// A crash leaves either the old file, or the new one, and perhaps a <c>.tmp</c> beside it that the next write replaces.
/// </summary>
public static class DurableFile
{
    private const int OwnerReadWrite = 0x180; // 0600

    public static unsafe void Write(string path, ReadOnlySpan<byte> content)
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

            if (Libc.Fdatasync(fd) != 0)
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

        SyncDirectory(Path.GetDirectoryName(path)!);
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
