namespace Holdfast.Protocol.Processes;

/// <summary>Reads small files, those of /proc above all, with three system calls and without the file stack of the runtime.</summary>
public static unsafe class RawFile
{
    private const int FirstBytes = 4096;

    /// <summary>The whole content, or null when it cannot be opened or read.</summary>
    public static byte[]? Read(string path)
    {
        // A FIFO in its place must not make us wait.
        int fd = Libc.Open(path, Libc.OpenReadOnly | Libc.OpenCloseOnExec | Libc.OpenNonBlock, 0);
        if (fd < 0)
        {
            return null;
        }

        byte[] buffer = new byte[FirstBytes];
        int length = 0;
        while (true)
        {
            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, length * 2);
            }

            nint n;
            fixed (byte* start = buffer)
            {
                n = Libc.Read(fd, start + length, (nuint)(buffer.Length - length));
            }

            if (n < 0 && Libc.Errno == Libc.Eintr)
            {
                continue;
            }

            if (n <= 0)
            {
                _ = Libc.Close(fd);
                if (n < 0)
                {
                    return null;
                }

                Array.Resize(ref buffer, length);
                return buffer;
            }

            length += (int)n;
        }
    }

    /// <summary>Writes a few bytes into an existing file; false when it may not.</summary>
    public static bool TryWrite(string path, ReadOnlySpan<byte> content)
    {
        const int writeOnly = 1;
        int fd = Libc.Open(path, writeOnly | Libc.OpenCloseOnExec, 0);
        if (fd < 0)
        {
            return false;
        }

        nint written;
        fixed (byte* start = content)
        {
            written = Libc.Write(fd, start, (nuint)content.Length);
        }

        _ = Libc.Close(fd);
        return written == content.Length;
    }
}
