using System.Globalization;
using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Link;

/// <summary>
/// The raw bytes of a journal by position, for a peer that follows it: a segment's file is named by the position of its first byte, so the
/// segments in order are one stream. Holds one open file and no buffer: sendfile moves the bytes.
/// </summary>
internal sealed unsafe class JournalStream : IDisposable
{
    private readonly string _journal;
    private long _segmentBase = -1;
    private int _fd = -1;

    public JournalStream(string attemptDirectory, long position)
    {
        AttemptDirectory = attemptDirectory;
        _journal = new Protocol.Attempts.AttemptFiles(attemptDirectory).Journal;
        Position = position;
    }

    public string AttemptDirectory { get; }

    /// <summary>The next byte to be sent.</summary>
    public long Position { get; private set; }

    /// <summary>Whether the end of the whole journal has been told.</summary>
    public bool IsEndTold { get; set; }

    /// <summary>Bytes that lie in one file from <see cref="Position"/> on, at most <paramref name="limit"/> and up to <paramref name="end"/> (-1: the files' own).</summary>
    public int Available(long end, int limit)
    {
        if (end >= 0 && Position >= end)
        {
            return 0;
        }

        if (_fd < 0 && !OpenSegmentAt(LastSegmentUpTo(Position)))
        {
            return 0;
        }

        long inFile = _segmentBase + FileLength() - Position;
        if (inFile <= 0)
        {
            // The next segment's name is the position where this one ends.
            if (!OpenSegmentAt(Position))
            {
                return 0;
            }

            inFile = FileLength();
        }

        long available = end >= 0 ? Math.Min(inFile, end - Position) : inFile;
        return (int)Math.Clamp(available, 0, limit);
    }

    /// <summary>Moves up to <paramref name="count"/> bytes into a socket; bytes moved, or -1 and errno. Zero means the file became shorter.</summary>
    public nint SendTo(int socket, int count)
    {
        long offset = Position - _segmentBase;
        nint sent = Posix.SendFile(socket, _fd, &offset, (nuint)count);
        if (sent > 0)
        {
            Position += sent;
        }

        return sent;
    }

    public void Dispose()
    {
        if (_fd >= 0)
        {
            _ = Libc.Close(_fd);
            _fd = -1;
        }
    }

    private bool OpenSegmentAt(long basePosition)
    {
        if (basePosition < 0)
        {
            return false;
        }

        int fd = Libc.Open(Path.Join(_journal, basePosition.ToString("D20", CultureInfo.InvariantCulture) + ".hfj"), Libc.OpenReadOnly | Libc.OpenCloseOnExec, 0);
        if (fd < 0)
        {
            return false;
        }

        Dispose();
        _fd = fd;
        _segmentBase = basePosition;
        return true;
    }

    private long FileLength() => Posix.Seek(_fd, 0, Posix.SeekEnd);

    private long LastSegmentUpTo(long position)
    {
        long best = -1;
        string[] files;
        try
        {
            files = Directory.GetFiles(_journal, "*.hfj");
        }
        catch (IOException)
        {
            return -1;
        }

        foreach (string file in files)
        {
            if (long.TryParse(Path.GetFileNameWithoutExtension(file.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out long basePosition)
                && basePosition <= position && basePosition > best)
            {
                best = basePosition;
            }
        }

        return best;
    }
}
