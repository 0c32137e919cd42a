using System.Runtime.InteropServices;
using Holdfast.Protocol.Processes;

namespace Holdfast.Protocol.Journal;

/// <summary>
/// Appends payloads to the last segment of a journal, and begins another when one is full. One owner, one thread: whoever opens it holds
/// the attempt's lock. It never syncs by itself but where too many complete segments wait for it; when to sync is the caller's policy.
/// </summary>
/// <remarks>
/// 1. A payload becomes one record, or several when it is large; <see cref="SegmentWriter"/> appends each whole or not at all.
/// 2. Complete segments are put aside unsynced, a bounded number of them. A power failure can leave damage in those; the death of a process
/// cannot.
/// 3. Once a roll was tried it must succeed before anything else is appended: the successor's file may exist already, and readers take
///    its predecessor as closed from then on. This runs in supervisors: no LINQ, no async, no collections of own structs, nothing that
///    would wake the JIT.
/// </remarks>
public sealed unsafe class JournalWriter : IDisposable
{
    private const int GrowingBytes = 1024 * 1024;

    private readonly string _directory;
    private readonly JournalOptions _options;
    private readonly VectorWrite _write;
    private readonly SegmentIndexWriter _index;
    private readonly SegmentSync _sync = new();
    private readonly SealedSegments _sealed;
    private readonly long[] _streamLengths = new long[JournalFormat.ChannelCount];

    // Channels whose last append stopped between two pieces.
    private readonly bool[] _isUnfinished = new bool[JournalFormat.ChannelCount];

    private SegmentWriter? _segment; // Null only while it opens; what it knows is asked for after the end, too.
    private bool _isClosed;
    private bool _mustRoll;
    private bool _areNamesUnsynced;

    // An earlier writer may have died before its first sync, so the directory's own name is made durable by each.
    private bool _isParentUnsynced = true;

    private JournalWriter(string directory, JournalOptions options, VectorWrite write)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PayloadBytes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.PayloadBytes, JournalFormat.PayloadBytesMax);
        _directory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        _options = options;
        _write = write;
        _index = new SegmentIndexWriter(_directory);
        _sealed = new SealedSegments(_sync);
    }

    /// <summary>The end of the journal, and so the position of the next record unless a segment ends first.</summary>
    public long Position => _segment?.Position ?? 0;

    /// <summary>
    /// Called about each MiB while one large payload is appended: readers can be told of what is there of it already. It appends nothing.
    /// </summary>
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
    public void Append(JournalChannel channel, NativePart[] parts, long unixNanoseconds)
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
        ObjectDisposedException.ThrowIf(_isClosed, this);
        int errno = _sealed.SyncAll();
        if (errno == 0)
        {
            errno = _sync.Run(_segment!.File);
        }

        if (errno != 0)
        {
            throw Failed(errno, 0);
        }

        SyncNames();
        HasUnsynced = false;
        CrashPoints.Reach(CrashPoint.JournalSynced);
    }

    /// <summary>
    /// The owner has synced what was appended before a position, on descriptors and a thread of its own. Closes complete segments that end
    /// before it: to sync them once more here costs next to nothing then, and finds a failure that the other descriptor was told of.
    /// </summary>
    public void NoteSynced(long position)
    {
        if (_sealed.SyncUpTo(position) is int errno and not 0)
        {
            throw Failed(errno, 0);
        }
    }

    /// <summary>Closes the files. What was appended is in the system's hands; what must survive power loss was synced before.</summary>
    public void Dispose()
    {
        _index.Dispose();
        _sealed.Close();
        if (_segment is not null && !_isClosed)
        {
            _ = Libc.Close(_segment.File);
        }

        _isClosed = true;
    }

    private void Open()
    {
        // The common case first, and without a listing: a new attempt's journal is opened on the way to every job's start.
        long[] segments = [];
        if (Libc.Mkdir(_directory, Libc.OwnerAll) != 0)
        {
            if (Libc.Errno != Libc.Eexist)
            {
                throw Failed(Libc.Errno, 0);
            }

            segments = JournalFormat.ListSegments(_directory);
        }

        int errno = segments.Length == 0 ? CreateSegment(0) : Resume(segments);
        if (errno != 0)
        {
            throw Failed(errno, 0);
        }
    }

    private int Resume(long[] segments)
    {
        long end = JournalRecovery.FindEnd(_directory, segments, _index, _streamLengths, out long bytesCut);
        BytesCut = bytesCut;
        if (end == segments[^1])
        {
            return CreateSegment(end);
        }

        _segment = SegmentWriter.Resume(_directory, segments[^1], end, _write);

        // Whole records of a writer that died may never have reached the disk, nor their file's name the directory.
        HasUnsynced = true;
        _areNamesUnsynced = true;
        return 0;
    }

    private void Append(JournalChannel channel, NativePart* parts, int count, long unixNanoseconds)
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
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
        for (long written = 0; written < total; )
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

        PowerLoss.Wrote(_segment!.File);
        CrashPoints.Reach(CrashPoint.JournalAppended);
    }

    private int MakeRoom(int payloadLength)
    {
        long end = Position + RecordHead.Bytes + payloadLength;
        return _mustRoll || (end - _segment!.Base > _options.SegmentBytes && _segment.HasRecords) ? Roll() : _segment.CutDirtyTail();
    }

    private int Roll()
    {
        if (!_mustRoll)
        {
            int errno = _segment!.CutDirtyTail();
            if (errno != 0)
            {
                return errno;
            }

            _mustRoll = true;
        }

        return CreateSegment(Position);
    }

    /// <summary>
    /// Creates a segment and makes it the current one; an errno when there is no room for it, and then nothing has changed.
    /// </summary>
    private int CreateSegment(long basePosition)
    {
        SegmentWriter? next = SegmentWriter.TryCreate(_directory, basePosition, _streamLengths, _write, out int errno);
        if (next is null)
        {
            return errno;
        }

        errno = _segment is null ? 0 : _sealed.Add(_segment);
        if (errno != 0)
        {
            _ = Libc.Close(next.File);
            return errno;
        }

        _segment = next;
        _mustRoll = false;
        _index.Begin(basePosition);
        HasUnsynced = true;
        _areNamesUnsynced = true;
        CrashPoints.Reach(CrashPoint.JournalSegmentCreated);
        return 0;
    }

    private int WriteRecord(
        JournalChannel channel,
        JournalFlags flags,
        NativePart* parts,
        ref PartCursor cursor,
        int length,
        long unixNanoseconds
    )
    {
        byte* head = stackalloc byte[RecordHead.Bytes];
        var headBytes = new Span<byte>(head, RecordHead.Bytes);
        RecordHead.Write(headBytes, length, unixNanoseconds, channel, flags, _streamLengths[(int)channel]);
        uint checksum = Checksum(headBytes, parts, cursor, length);
        RecordHead.WriteChecksum(headBytes, checksum);
        long position = Position;
        int errno = _segment!.Append(head, parts, ref cursor, length);
        if (errno != 0)
        {
            return errno;
        }

        _index.Note(
            new SegmentIndexEntry(
                position,
                unixNanoseconds,
                _streamLengths[(int)JournalChannel.Stdout],
                _streamLengths[(int)JournalChannel.Stderr],
                checksum
            )
        );
        _streamLengths[(int)channel] += length;
        HasUnsynced = true;
        return 0;
    }

    private static uint Checksum(ReadOnlySpan<byte> head, NativePart* parts, PartCursor cursor, int length)
    {
        uint crc = Crc32C.Append(Crc32C.Start, head[RecordHead.CheckedFrom..]);
        for (int left = length; left > 0; )
        {
            byte* start = cursor.Take(parts, left, out int taken);
            crc = Crc32C.Append(crc, new ReadOnlySpan<byte>(start, taken));
            left -= taken;
        }

        return Crc32C.Finish(crc);
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
        return errno is Libc.Enospc or Libc.Edquot && !_sync.HasFailed
            ? new JournalFullException(message, errno, payloadBytesWritten)
            : new JournalWriteException(message, errno, payloadBytesWritten);
    }
}
