using Holdfast.Protocol.Processes;

namespace Holdfast.Protocol.Journal;

/// <summary>What lies past the last whole record when a writer opens a journal that another one left behind.</summary>
internal static unsafe class TornTail
{
    private const int ChunkBytes = 64 * 1024;

    /// <summary>
    /// Copies the bytes from <paramref name="offset"/> to the file's end to <paramref name="path"/> unless they are all zero, and
    /// returns how many there are. The copy is evidence, no part of the journal: a disk too full for it does not stop recovery.
    /// </summary>
    public static long Keep(int fd, long offset, string path)
    {
        byte[] chunk = new byte[ChunkBytes];
        int copy = -1;
        long total = 0;
        fixed (byte* start = chunk)
        {
            for (; ; )
            {
                nint read = Libc.PRead(fd, start, ChunkBytes, offset + total);
                if (read < 0 && Libc.Errno == Libc.Eintr)
                {
                    continue;
                }

                if (read < 0)
                {
                    throw Libc.Failure("pread", path);
                }

                if (read == 0)
                {
                    break;
                }

                if (copy < 0 && chunk.AsSpan(0, (int)read).ContainsAnyExcept((byte)0))
                {
                    copy = Libc.Open(
                        path,
                        Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenAppend | Libc.OpenCloseOnExec,
                        Libc.OwnerReadWrite
                    );
                }

                if (copy >= 0)
                {
                    _ = Libc.Write(copy, start, (nuint)read);
                }

                total += read;
            }
        }

        if (copy >= 0)
        {
            _ = Libc.Close(copy);
        }

        return total;
    }
}
