using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Link;

/// <summary>
/// The raw bytes of a journal by position, for a peer that follows it: a segment's file is named by the position of its first byte, so the
/// segments in order are one stream. Holds one open file and no buffer, as sendfile moves the bytes; only of a packed segment they pass
/// through one here.
/// </summary>
internal sealed unsafe class JournalStream : IDisposable
{
    private const int PieceBytes = 64 * 1024;

    private readonly string _journal;
    private long _segmentBase = -1;
    private SegmentFile? _segment;
    private byte[] _unpacked = [];

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

    /// <summary>
    /// Bytes that lie in one file from <see cref="Position"/> on, at most <paramref name="limit"/> and up to <paramref name="end"/> (-1:
    /// the files' own).
    /// </summary>
    public int Available(long end, int limit)
    {
        if (end >= 0 && Position >= end)
        {
            return 0;
        }

        if (_segment is null && !OpenSegmentAt(LastSegmentUpTo(Position)))
        {
            return 0;
        }

        long inFile = _segmentBase + _segment!.Length - Position;
        if (inFile <= 0)
        {
            // The next segment's name is the position where this one ends.
            if (!OpenSegmentAt(Position))
            {
                return 0;
            }

            inFile = _segment!.Length;
        }

        long available = end >= 0 ? Math.Min(inFile, end - Position) : inFile;
        return (int)Math.Clamp(available, 0, limit);
    }

    /// <summary>
    /// Moves up to <paramref name="count"/> bytes into a socket; bytes moved, or -1 and errno. Zero means the file became shorter.
    /// </summary>
    public nint SendTo(int socket, int count)
    {
        long offset = Position - _segmentBase;
        nint sent = _segment!.IsPacked
            ? SendUnpacked(socket, offset, count)
            : Posix.SendFile(socket, _segment.Descriptor, &offset, (nuint)count);
        if (sent > 0)
        {
            Position += sent;
        }

        return sent;
    }

    public void Dispose()
    {
        _segment?.Dispose();
        _segment = null;
    }

    private nint SendUnpacked(int socket, long offset, int count)
    {
        if (_unpacked.Length == 0)
        {
            _unpacked = new byte[PieceBytes];
        }

        int read = _segment!.Read(_unpacked.AsSpan(0, Math.Min(count, PieceBytes)), offset);
        fixed (byte* start = _unpacked)
        {
            // None: it is damaged, and the link is closed as when a file became shorter.
            return read == 0 ? 0 : Posix.Send(socket, start, (nuint)read, Posix.NoSignal);
        }
    }

    private bool OpenSegmentAt(long basePosition)
    {
        if (basePosition < 0)
        {
            return false;
        }

        SegmentFile segment;
        try
        {
            segment = SegmentFile.Open(_journal, basePosition);
        }
        catch (IOException)
        {
            return false;
        }

        Dispose();
        (_segment, _segmentBase) = (segment, basePosition);
        return true;
    }

    private long LastSegmentUpTo(long position)
    {
        long best = -1;
        foreach (long basePosition in JournalFormat.ListSegments(_journal))
        {
            if (basePosition <= position)
            {
                best = basePosition;
            }
        }

        return best;
    }
}
