using Holdfast.Protocol.Processes;

namespace Holdfast.Protocol.Journal;

/// <summary>pwritev, or what a test puts in its place to make a disk full.</summary>
internal unsafe delegate nint VectorWrite(int fd, IoVector* vectors, int count, long offset);

/// <summary>
/// Appends whole records at the end of one segment. 1. A record is written from its head on at the known end of the file, so that a death
/// in the middle leaves a prefix of one record.
/// 2. A write that fails is cut off again; the segment ends at a record boundary whatever happens. When to begin another, and when to sync,
/// is the owner's policy.
/// </summary>
internal sealed unsafe class SegmentWriter
{
    // Far above the frames of any ordinary message, and 4 KiB of stack. A piece in more parts takes several writes.
    private const int VectorsMax = 256;

    /// <summary>
    /// How much of a large record one write hands over: up to the next multiple of this in the file. The system takes memory for its cache
    /// in runs as long as the write. Runs of up to 32 KiB it has at hand, those that were freed last; longer ones come from its depths,
    /// cold, and on a virtual machine that had given them back not there at all: 2.3 ms of processor for each MB instead of 0.4.
    /// </summary>
    private const int BytesPerWrite = 32 * 1024;

    private readonly VectorWrite _write;
    private readonly long _firstRecord;
    private bool _isTailDirty;

    private SegmentWriter(int file, long basePosition, long firstRecord, long position, VectorWrite write)
    {
        (File, Base, Position) = (file, basePosition, position);
        (_firstRecord, _write) = (firstRecord, write);
    }

    /// <summary>The descriptor; the owner closes it.</summary>
    public int File { get; }

    public long Base { get; }

    /// <summary>The journal's position at the end of the last whole record.</summary>
    public long Position { get; private set; }

    public bool HasRecords => Position > _firstRecord;

    /// <summary>Creates a segment that holds its header and nothing else; null and an errno when there is no room for it.</summary>
    public static SegmentWriter? TryCreate(
        string directory,
        long basePosition,
        ReadOnlySpan<long> streamLengths,
        VectorWrite write,
        out int errno
    )
    {
        // Truncates: a file of this name can only be the rest of a creation that failed or died before its first record.
        int file = Libc.Open(
            JournalFormat.SegmentPath(directory, basePosition),
            Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenTruncate | Libc.OpenCloseOnExec,
            Libc.OwnerReadWrite
        );
        if (file < 0)
        {
            errno = Libc.Errno;
            return null;
        }

        Span<byte> header = stackalloc byte[SegmentHeader.BytesMax];
        int length = SegmentHeader.Write(header, basePosition, streamLengths);
        fixed (byte* start = header)
        {
            var vector = new IoVector { Start = start, Length = (nuint)length };
            errno = WriteFully(write, file, &vector, 1, 0, length);
        }

        if (errno != 0)
        {
            _ = Libc.Close(file);
            return null;
        }

        return new SegmentWriter(file, basePosition, basePosition + length, basePosition + length, write);
    }

    /// <summary>Goes on with a segment whose last whole record ends at <paramref name="end"/>.</summary>
    public static SegmentWriter Resume(string directory, long basePosition, long end, VectorWrite write) =>
        new(Open(directory, basePosition), basePosition, basePosition, end, write);

    /// <summary>Opens an existing segment to read and write it.</summary>
    public static int Open(string directory, long basePosition)
    {
        string path = JournalFormat.SegmentPath(directory, basePosition);
        int file = Libc.Open(path, Libc.OpenReadWrite | Libc.OpenCloseOnExec, 0);
        return file >= 0 ? file : throw Libc.Failure("open", path);
    }

    /// <summary>
    /// Appends a record of this head and the next bytes of the parts; an errno when it could not, and then neither the cursor nor the end
    /// has moved.
    /// </summary>
    public int Append(byte* head, NativePart* parts, ref PartCursor cursor, int length)
    {
        IoVector* vectors = stackalloc IoVector[VectorsMax];
        vectors[0] = new IoVector { Start = head, Length = RecordHead.Bytes };
        PartCursor after = cursor;
        int count = 1;
        long offset = Position - Base;
        for (int left = length; left > 0; )
        {
            int bytes = count == 1 ? RecordHead.Bytes : 0;
            int most = bytes + left <= BytesPerWrite ? BytesPerWrite : BytesPerWrite - (int)(offset % BytesPerWrite);
            while (left > 0 && bytes < most && count < VectorsMax)
            {
                byte* start = after.Take(parts, Math.Min(left, most - bytes), out int taken);
                vectors[count++] = new IoVector { Start = start, Length = (nuint)taken };
                left -= taken;
                bytes += taken;
            }

            int errno = WriteFully(_write, File, vectors, count, offset, bytes);
            if (errno != 0)
            {
                _isTailDirty = true;
                _ = CutDirtyTail();
                return errno;
            }

            offset += bytes;
            count = 0;
        }

        cursor = after;
        Position += RecordHead.Bytes + length;
        return 0;
    }

    /// <summary>Cuts off what a failed write left, if anything is left; an errno when even that fails.</summary>
    public int CutDirtyTail()
    {
        if (_isTailDirty && Libc.Ftruncate(File, Position - Base) != 0)
        {
            return Libc.Errno;
        }

        _isTailDirty = false;
        return 0;
    }

    /// <summary>
    /// Writes all of it or says why not; the system may take a write in several bites, the last before a full disk a small one.
    /// </summary>
    private static int WriteFully(VectorWrite write, int file, IoVector* vectors, int count, long offset, long bytes)
    {
        while (bytes > 0)
        {
            nint written = write(file, vectors, count, offset);
            if (written < 0 && Libc.Errno == Libc.Eintr)
            {
                continue;
            }

            if (written <= 0)
            {
                return written < 0 ? Libc.Errno : Libc.Eio;
            }

            bytes -= written;
            offset += written;
            for (; count > 0 && (nuint)written >= vectors->Length; vectors++, count--)
            {
                written -= (nint)vectors->Length;
            }

            if (written > 0)
            {
                vectors->Start += written;
                vectors->Length -= (nuint)written;
            }
        }

        return 0;
    }
}
