using System.Runtime.InteropServices;
using Holdfast.Protocol.Processes;

namespace Holdfast.Protocol.Journal;

/// <summary>
/// Appends records to the last segment of a journal. One owner, one thread: whoever opens it holds the attempt's lock.
/// It never syncs by itself but where a segment ends; when to sync is the caller's policy.
/// </summary>
/// <remarks>
/// 1. A record is one pwritev at the known end of the file, so that a death in the middle leaves a prefix of one record.
/// 2. A write that fails is cut off again; the journal ends at a record boundary whatever happens.
/// 3. A segment is closed by syncing it before its successor exists. So a segment with a successor is whole even after a power
///    failure, and anything unreadable in it is damage, not a torn tail.
/// 4. Once a roll was tried it must succeed before anything else is appended: the successor's file may exist already, and
///    readers take its predecessor as closed from then on.
/// This runs in supervisors: no LINQ, no async, no collections of own structs, nothing that would wake the JIT.
/// </remarks>
public sealed unsafe class JournalWriter : IDisposable
{
    private const int OwnerReadWrite = 0x180; // 0600
    private const int OwnerOnly = 0x1C0; // 0700

    // Far above the frames of any ordinary message, and 4 KiB of stack. A piece in more parts takes several writes.
    private const int VectorsMax = 256;

    private const int GrowingBytes = 1024 * 1024;

    // With 64 MiB each, a gigabyte may wait for the disk before the writer does.
    private const int SealedMax = 16;

    private readonly string _directory;
    private readonly JournalOptions _options;
    private readonly VectorWrite _write;
    private readonly SegmentIndexWriter _index;
    private readonly long[] _streamLengths = new long[JournalFormat.ChannelCount];

    // Channels whose last append stopped between two pieces.
    private readonly bool[] _isUnfinished = new bool[JournalFormat.ChannelCount];

    // Segments that are complete and not yet synced, oldest first, and where each ends.
    private readonly int[] _sealed = new int[SealedMax];
    private readonly long[] _sealedEnds = new long[SealedMax];
    private int _sealedCount;

    private int _segment = -1;
    private long _segmentBase;
    private long _firstRecord;
    private bool _mustRoll;
    private bool _isTailDirty;
    private bool _areNamesUnsynced;

    // An earlier writer may have died before its first sync, so the directory's own name is made durable by each.
    private bool _isParentUnsynced = true;
    private bool _hasSyncFailed;

    private JournalWriter(string directory, JournalOptions options, VectorWrite write)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PayloadBytes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.PayloadBytes, JournalFormat.PayloadBytesMax);
        _directory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        _options = options;
        _write = write;
        _index = new SegmentIndexWriter(_directory);
    }

    /// <summary>pwritev, or what a test puts in its place to make a disk full.</summary>
    internal delegate nint VectorWrite(int fd, IoVector* vectors, int count, long offset);

    /// <summary>The end of the journal, and so the position of the next record unless a segment ends first.</summary>
    public long Position { get; private set; }

    /// <summary>Called about each MiB while one large payload is appended: readers can be told of what is there of it already. It appends nothing.</summary>
    public Action? Growing { get; set; }

    /// <summary>True when something appended would not survive a power failure yet.</summary>
    public bool HasUnsynced { get; private set; }

    /// <summary>Bytes that opening found past the last whole record and cut; a journal that was closed in order has none.</summary>
    public long BytesCut { get; private set; }

    /// <summary>Creates the journal, or finds the end of its last whole record, cuts what follows, and goes on from there.</summary>
    public static JournalWriter Open(string directory, JournalOptions options) => Open(directory, options, Libc.PWriteV);

    internal static JournalWriter Open(string directory, JournalOptions options, VectorWrite write)
    {
        var writer = new JournalWriter(directory, options, write);
        try
        {
            writer.Open();
            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    /// <summary>Payload bytes of the channel so far.</summary>
    public long StreamLength(JournalChannel channel) => _streamLengths[(int)channel];

    /// <summary>
    /// Appends one payload, split when it is large. <see cref="JournalFullException"/> and <see cref="JournalWriteException"/>
    /// say how much of it was written.
    /// </summary>
    public void Append(JournalChannel channel, ReadOnlySpan<byte> payload, long unixNanoseconds)
    {
        fixed (byte* start = payload)
        {
            var part = new NativePart(start, payload.Length);
            Append(channel, &part, 1, unixNanoseconds);
        }
    }

    /// <summary>Appends one payload gathered from memory outside the heap, in order and without a copy.</summary>
    public void Append(JournalChannel channel, ReadOnlySpan<NativePart> parts, long unixNanoseconds)
    {
        fixed (NativePart* first = parts)
        {
            Append(channel, first, parts.Length, unixNanoseconds);
        }
    }

    /// <summary>
    /// Makes everything appended so far survive a power failure. A failure is final: the kernel drops the pages it could not
    /// write and calls the next sync a success, so a second try would lie.
    /// </summary>
    public void Sync()
    {
        ObjectDisposedException.ThrowIf(_segment < 0, this);
        if (SyncSealed() is int sealedErrno and not 0)
        {
            throw Failed(sealedErrno, 0);
        }

        if (SyncSegment(_segment) is int errno and not 0)
        {
            throw Failed(errno, 0);
        }

        SyncNames();
        HasUnsynced = false;
        CrashPoints.Reach(CrashPoint.JournalSynced);
    }

    /// <summary>
    /// The owner has synced what was appended before a position, on descriptors and a thread of its own. Closes complete segments that end before it: to sync
    /// them once more here costs next to nothing then, and finds a failure that the other descriptor was told of.
    /// </summary>
    public void NoteSynced(long position)
    {
        while (_sealedCount > 0 && _sealedEnds[0] <= position)
        {
            if (SyncOldestSealed() is int errno and not 0)
            {
                throw Failed(errno, 0);
            }
        }
    }

    /// <summary>Closes the files. What was appended is in the system's hands; what must survive power loss was synced before.</summary>
    public void Dispose()
    {
        _index.Dispose();
        CloseSegment();
    }

    private void Open()
    {
        // The common case first, and without a listing: a new attempt's journal is opened on the way to every job's start.
        long[] segments = [];
        if (Libc.Mkdir(_directory, OwnerOnly) != 0)
        {
            if (Libc.Errno != Libc.Eexist)
            {
                throw Failed(Libc.Errno, 0);
            }

            segments = JournalFormat.ListSegments(_directory);
        }

        int errno = segments.Length == 0 ? CreateSegment(0) : Recover(segments);
        if (errno != 0)
        {
            throw Failed(errno, 0);
        }
    }

    /// <summary>Finds the end of the last whole record with the reader itself, so that both always agree on what is whole.</summary>
    private int Recover(long[] segments)
    {
        long last = segments[^1];
        long end = last;
        using (SegmentFile segment = SegmentFile.Open(_directory, last))
        {
            if (segment.IsPacked)
            {
                // It was packed because it is over. There is nobody who may go on with it, and nothing in it may be cut.
                throw new JournalDamagedException(_directory, last);
            }
        }

        using (JournalReader reader = JournalReader.Open(_directory, last))
        {
            _index.Begin(last);
            while (reader.TryRead(out JournalRecord record))
            {
                _index.Note(SegmentIndex.EntryOf(reader, record));
            }

            reader.CopyStreamLengths(_streamLengths);
            end = reader.Position;
        }

        if (end == last)
        {
            // Died between creating the segment and its header, or the header is broken: what came before says where we stand.
            StreamLengthsBefore(segments);
            CutTail(last, last);
            return CreateSegment(last);
        }

        CutTail(last, end);
        _segment = OpenSegment(last, 0);
        _segmentBase = last;
        _firstRecord = last;
        Position = end;

        // Whole records of a writer that died may never have reached the disk, nor their file's name the directory.
        HasUnsynced = true;
        _areNamesUnsynced = true;
        return 0;
    }

    private void StreamLengthsBefore(long[] segments)
    {
        Array.Clear(_streamLengths);
        if (segments.Length == 1 && segments[0] == 0)
        {
            return;
        }

        if (segments.Length == 1)
        {
            throw new JournalDamagedException(_directory, segments[0]);
        }

        using JournalReader reader = JournalReader.Open(_directory, segments[^2]);
        while (reader.TryRead(out _))
        {
        }

        if (reader.Position != segments[^1])
        {
            throw new JournalDamagedException(_directory, reader.Position);
        }

        reader.CopyStreamLengths(_streamLengths);
    }

    /// <summary>
    /// Cuts everything from a position on. Bytes that are not all zero go to a file beside the segment first: after a power
    /// failure they may hold more than a torn record, and only a person may throw that away.
    /// </summary>
    private void CutTail(long segmentBase, long position)
    {
        int fd = OpenSegment(segmentBase, 0);
        try
        {
            BytesCut = TornTail.Keep(fd, position - segmentBase, JournalFormat.CutPath(_directory, position));
            if (BytesCut > 0 && Libc.Ftruncate(fd, position - segmentBase) != 0)
            {
                throw Libc.Failure("ftruncate", JournalFormat.SegmentPath(_directory, segmentBase));
            }
        }
        finally
        {
            _ = Libc.Close(fd);
        }
    }

    private void Append(JournalChannel channel, NativePart* parts, int count, long unixNanoseconds)
    {
        ObjectDisposedException.ThrowIf(_segment < 0, this);
        long total = 0;
        for (int i = 0; i < count; i++)
        {
            total += parts[i].Length;
        }

        if (total == 0)
        {
            throw new ArgumentException("A record carries at least one byte: zeros on disk must never be one.", nameof(parts));
        }

        var cursor = default(PartCursor);
        long told = 0;
        for (long written = 0; written < total;)
        {
            int length = (int)Math.Min(total - written, _options.PayloadBytes);
            JournalFlags flags = _isUnfinished[(int)channel] ? JournalFlags.Continued : JournalFlags.None;
            if (written + length < total)
            {
                flags |= JournalFlags.Continues;
            }

            int errno = MakeRoom(length);
            if (errno == 0)
            {
                errno = WriteRecord(channel, flags, parts, ref cursor, length, unixNanoseconds);
            }

            if (errno != 0)
            {
                throw Failed(errno, written);
            }

            written += length;
            _isUnfinished[(int)channel] = written < total;
            if (written - told >= GrowingBytes && written < total)
            {
                told = written;
                Growing?.Invoke();
            }
        }

        CrashPoints.Reach(CrashPoint.JournalAppended);
    }

    private int MakeRoom(int payloadLength)
    {
        long end = Position + RecordHead.Bytes + payloadLength;
        if (_mustRoll || (end - _segmentBase > _options.SegmentBytes && Position > _firstRecord))
        {
            return Roll();
        }

        return _isTailDirty ? CutDirtyTail() : 0;
    }

    private int Roll()
    {
        if (!_mustRoll)
        {
            int errno = _isTailDirty ? CutDirtyTail() : 0;
            if (errno != 0)
            {
                return errno;
            }

            _mustRoll = true;
        }

        return CreateSegment(Position);
    }

    /// <summary>Creates a segment and makes it the current one; an errno when there is no room for it, and then nothing has changed.</summary>
    private int CreateSegment(long basePosition)
    {
        // Truncates: a file of this name can only be the rest of a creation that failed or died before its first record.
        int fd = Libc.Open(
            JournalFormat.SegmentPath(_directory, basePosition),
            Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenTruncate | Libc.OpenCloseOnExec,
            OwnerReadWrite);
        if (fd < 0)
        {
            return Libc.Errno;
        }

        Span<byte> header = stackalloc byte[SegmentHeader.BytesMax];
        int length = SegmentHeader.Write(header, basePosition, _streamLengths);
        fixed (byte* start = header)
        {
            var vector = new IoVector { Start = start, Length = (nuint)length };
            int errno = WriteFully(fd, &vector, 1, 0, length);
            if (errno != 0)
            {
                _ = Libc.Close(fd);
                return errno;
            }
        }

        if (Seal() is int sealErrno and not 0)
        {
            _ = Libc.Close(fd);
            return sealErrno;
        }

        _segment = fd;
        _segmentBase = basePosition;
        Position = _firstRecord = basePosition + length;
        _mustRoll = false;
        _isTailDirty = false;
        _index.Begin(basePosition);
        HasUnsynced = true;
        _areNamesUnsynced = true;
        CrashPoints.Reach(CrashPoint.JournalSegmentCreated);
        return 0;
    }

    private int WriteRecord(
        JournalChannel channel, JournalFlags flags, NativePart* parts, ref PartCursor cursor, int length, long unixNanoseconds)
    {
        byte* head = stackalloc byte[RecordHead.Bytes];
        var headBytes = new Span<byte>(head, RecordHead.Bytes);
        RecordHead.Write(headBytes, length, unixNanoseconds, channel, flags, _streamLengths[(int)channel]);
        uint checksum = Checksum(headBytes, parts, cursor, length);
        RecordHead.WriteChecksum(headBytes, checksum);

        IoVector* vectors = stackalloc IoVector[VectorsMax];
        vectors[0] = new IoVector { Start = head, Length = RecordHead.Bytes };
        PartCursor after = cursor;
        int count = 1;
        long offset = Position - _segmentBase;
        for (int left = length; left > 0;)
        {
            long bytes = count == 1 ? RecordHead.Bytes : 0;
            while (left > 0 && count < VectorsMax)
            {
                byte* start = after.Take(parts, left, out int taken);
                vectors[count++] = new IoVector { Start = start, Length = (nuint)taken };
                left -= taken;
                bytes += taken;
            }

            int errno = WriteFully(_segment, vectors, count, offset, bytes);
            if (errno != 0)
            {
                _isTailDirty = true;
                _ = CutDirtyTail();
                return errno;
            }

            offset += bytes;
            count = 0;
        }

        _index.Note(new SegmentIndexEntry(
            Position,
            unixNanoseconds,
            _streamLengths[(int)JournalChannel.Stdout],
            _streamLengths[(int)JournalChannel.Stderr],
            checksum));
        cursor = after;
        Position += RecordHead.Bytes + length;
        _streamLengths[(int)channel] += length;
        HasUnsynced = true;
        return 0;
    }

    private static uint Checksum(ReadOnlySpan<byte> head, NativePart* parts, PartCursor cursor, int length)
    {
        uint crc = Crc32C.Append(Crc32C.Start, head[RecordHead.CheckedFrom..]);
        for (int left = length; left > 0;)
        {
            byte* start = cursor.Take(parts, left, out int taken);
            crc = Crc32C.Append(crc, new ReadOnlySpan<byte>(start, taken));
            left -= taken;
        }

        return Crc32C.Finish(crc);
    }

    /// <summary>Writes all of it or says why not; the system may take a write in several bites, the last before a full disk a small one.</summary>
    private int WriteFully(int fd, IoVector* vectors, int count, long offset, long bytes)
    {
        while (bytes > 0)
        {
            nint written = _write(fd, vectors, count, offset);
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

    private int CutDirtyTail()
    {
        if (Libc.Ftruncate(_segment, Position - _segmentBase) != 0)
        {
            return Libc.Errno;
        }

        _isTailDirty = false;
        return 0;
    }

    private int OpenSegment(long basePosition, int moreFlags)
    {
        string path = JournalFormat.SegmentPath(_directory, basePosition);
        int fd = Libc.Open(path, Libc.OpenReadWrite | Libc.OpenCloseOnExec | moreFlags, OwnerReadWrite);
        return fd >= 0 ? fd : throw Libc.Failure("open", path);
    }

    /// <summary>
    /// Puts the current segment aside, complete and not yet synced: a roll must not hold up whoever writes for as long as the disk takes. When too much is put
    /// aside the oldest is synced here and now, which slows the writer to what the disk takes rather than letting the debt grow.
    /// </summary>
    private int Seal()
    {
        if (_segment < 0)
        {
            return 0;
        }

        if (_sealedCount == SealedMax && SyncOldestSealed() is int errno and not 0)
        {
            return errno;
        }

        _sealedEnds[_sealedCount] = Position;
        _sealed[_sealedCount++] = _segment;
        _segment = -1;
        return 0;
    }

    private int SyncOldestSealed()
    {
        int errno = SyncSegment(_sealed[0]);
        if (errno != 0)
        {
            return errno;
        }

        _ = Libc.Close(_sealed[0]);
        _sealedCount--;
        Array.Copy(_sealed, 1, _sealed, 0, _sealedCount);
        Array.Copy(_sealedEnds, 1, _sealedEnds, 0, _sealedCount);
        return 0;
    }

    private int SyncSealed()
    {
        for (int i = 0; i < _sealedCount; i++)
        {
            int errno = SyncSegment(_sealed[i]);
            if (errno != 0)
            {
                return errno;
            }
        }

        CloseSealed();
        return 0;
    }

    private void CloseSealed()
    {
        for (int i = 0; i < _sealedCount; i++)
        {
            _ = Libc.Close(_sealed[i]);
        }

        _sealedCount = 0;
    }

    private void CloseSegment()
    {
        CloseSealed();
        if (_segment >= 0)
        {
            _ = Libc.Close(_segment);
            _segment = -1;
        }
    }

    private int SyncSegment(int segment)
    {
        while (!_hasSyncFailed)
        {
            if (Libc.Fdatasync(segment) == 0)
            {
                return 0;
            }

            _hasSyncFailed = Libc.Errno != Libc.Eintr;
        }

        return Libc.Eio;
    }

    private void SyncNames()
    {
        if (_areNamesUnsynced)
        {
            DurableFile.SyncDirectory(_directory);
            _areNamesUnsynced = false;
        }

        if (_isParentUnsynced)
        {
            DurableFile.SyncDirectory(Path.GetDirectoryName(_directory)!);
            _isParentUnsynced = false;
        }
    }

    private JournalWriteException Failed(int errno, long payloadBytesWritten)
    {
        string message = $"The journal {_directory} cannot be written: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno}).";
        return errno is Libc.Enospc or Libc.Edquot && !_hasSyncFailed
            ? new JournalFullException(message, errno, payloadBytesWritten)
            : new JournalWriteException(message, errno, payloadBytesWritten);
    }
}
