using Microsoft.Win32.SafeHandles;

namespace Holdfast.Protocol.Processes;

/// <summary>
/// Reads what must be a plain file. Whatever else lies in its place is refused at once: opening a FIFO in the ordinary way waits for
/// somebody to write to it, for ever.
/// </summary>
public static class PlainFile
{
    private const int Enoent = 2;

    /// <summary>Opens it for reading. Links are followed to what they lead to.</summary>
    public static SafeFileHandle Open(string path)
    {
        int fd = Libc.Open(path, Libc.OpenReadOnly | Libc.OpenCloseOnExec | Libc.OpenNonBlock, 0);
        if (fd < 0)
        {
            throw Libc.Errno == Enoent ? new FileNotFoundException($"There is no file {path}.", path) : Libc.Failure("open", path);
        }

        if (!FileStatus.IsPlain(fd))
        {
            _ = Libc.Close(fd);
            throw new IOException($"{path} is not a plain file.");
        }

        return new SafeFileHandle(fd, ownsHandle: true);
    }

    /// <summary>All of a small file; one larger than this is not what it should be, and is not read.</summary>
    public static byte[] Read(string path, int bytesMax)
    {
        using SafeFileHandle file = Open(path);
        long length = RandomAccess.GetLength(file);
        if (length > bytesMax)
        {
            throw new IOException($"{path} has {length} bytes, and can have at most {bytesMax}.");
        }

        byte[] bytes = new byte[length];
        int read = 0;
        while (read < bytes.Length && RandomAccess.Read(file, bytes.AsSpan(read), read) is > 0 and var more)
        {
            read += more;
        }

        return read == bytes.Length ? bytes : bytes[..read];
    }
}
