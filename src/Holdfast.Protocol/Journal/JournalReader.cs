namespace Holdfast.Protocol.Journal;

/// <summary>
/// Reads records forward from any record's position, across segments, while they are being written or long after. Gives a record
/// only when its checksum and its stream offset are right. One owner at a time; holds one file and a buffer of one record.
/// </summary>
/// <remarks>
/// 1. Bytes that are not a whole record are never kept: the writer may cut them and write others in their place, and half of the
///    one joined to half of the other would be neither. Each try reads them again.
/// 2. A segment is closed when a later one exists. Only in a closed segment is a broken record damage; at the live end it means
///    "not yet".
/// </remarks>
public sealed class JournalReader : IDisposable
{
    // Small records, such as messages, are read many at a time; the first large record makes the buffer grow to the cap.
    private const int SmallBufferBytes = 64 * 1024;
    private const int LargeBufferBytes = JournalFormat.RecordBytesMax + 4 * 1024;

    private readonly string _directory;

    // The stream offset that each channel's next record must have; -1 while unknown after a start in the middle of a segment.
    private readonly long[] _expected = new long[JournalFormat.ChannelCount];

    private SegmentFile? _segment;
    private long _segmentBase;
    private long _lastSegmentBase = -1;
    private byte[] _buffer = [];
    private long _bufferPosition;
    private int _buffered;

    private JournalReader(string directory, long position)
    {
        _directory = directory;
        Position = position;
        Array.Fill(_expected, -1);
    }

    private enum Look
    {
        Whole,
        Short,
        Wrong,
    }

    /// <summary>Where the next record starts: after a record, its <see cref="JournalRecord.NextPosition"/>.</summary>
    public long Position { get; private set; }

    /// <summary>The base of the segment that the last record came from.</summary>
    internal long SegmentBase => _segmentBase;

    /// <summary>Why the last <see cref="TryRead"/> gave nothing.</summary>
    public JournalEnd End { get; private set; }

    /// <summary>
    /// A reader from 0 or from any record's position. The journal need not exist yet. A position within a record gives no
    /// record: it looks torn or damaged.
    /// </summary>
    public static JournalReader Open(string directory, long position = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        return new JournalReader(directory, position);
    }

    /// <summary>The next record, or false when nothing whole is here now: <see cref="End"/> says why. Ask again after growth.</summary>
    public bool TryRead(out JournalRecord record)
    {
        bool wasClosed = false;
        while (_segment is not null || TryEnterSegment())
        {
            if (LookAt(Position, out record) == Look.Whole)
            {
                return Take(ref record);
            }

            Fill(Position);
            Look look = LookAt(Position, out record);
            if (look == Look.Short && _buffer.Length < LargeBufferBytes && _buffered == _buffer.Length)
            {
                _buffer = GC.AllocateUninitializedArray<byte>(LargeBufferBytes);
                Fill(Position);
                look = LookAt(Position, out record);
            }

            if (look == Look.Whole)
            {
                return Take(ref record);
            }

            if (_buffered == 0 && TryLeaveSegment())
            {
                continue;
            }

            bool isClosed = IsSegmentClosed(mayHaveChanged: _buffered > 0);
            if (isClosed && !wasClosed)
            {
                // It may have been closed after the read above, and the record completed before that. Now it cannot change any more.
                wasClosed = true;
                continue;
            }

            return Stop(
                isClosed || _segment!.IsDamaged ? JournalEnd.Damaged
                    : _buffered > 0 ? JournalEnd.Torn
                    : EndOfBytes(),
                out record
            );
        }

        record = default;
        return false;
    }

    public void Dispose() => LeaveSegment();

    /// <summary>Payload bytes of a channel up to <see cref="Position"/>; -1 when the reader has not seen enough to know.</summary>
    public long StreamLength(JournalChannel channel) => _expected[(int)channel];

    internal void CopyStreamLengths(Span<long> lengths) => _expected.CopyTo(lengths);

    /// <summary>Goes to a position whose output offsets are known, as from an index entry or back from a look ahead.</summary>
    internal void MoveTo(long position, long stdout, long stderr)
    {
        LeaveSegment();
        Position = position;
        End = JournalEnd.Clean;
        Array.Fill(_expected, -1);
        _expected[(int)JournalChannel.Stdout] = stdout;
        _expected[(int)JournalChannel.Stderr] = stderr;
    }

    private bool Take(ref JournalRecord record)
    {
        Position = record.NextPosition;
        _expected[(int)record.Channel] = record.StreamOffset + record.Payload.Length;
        End = JournalEnd.Clean;
        return true;
    }

    private bool Stop(JournalEnd end, out JournalRecord record)
    {
        End = end;
        record = default;
        return false;
    }

    /// <summary>Opens the segment that holds the position and checks its header. False when it is not there, or not whole yet.</summary>
    private bool TryEnterSegment()
    {
        if (!TryFindSegment())
        {
            return false;
        }

        if (_buffer.Length == 0)
        {
            _buffer = GC.AllocateUninitializedArray<byte>(SmallBufferBytes);
        }

        try
        {
            _segment = SegmentFile.Open(_directory, _segmentBase);

            // Read a second time when it proves to be closed: the header was perhaps written after the first look, but before that.
            if (TryReadHeader() || (IsSegmentClosed(mayHaveChanged: true) && TryReadHeader()))
            {
                return true;
            }
        }
        catch (JournalVersionException)
        {
            LeaveSegment();
            throw;
        }

        // Opened anew at each try: the writer may not have written the header yet.
        End =
            _segmentBase < _lastSegmentBase || _segment.IsDamaged ? JournalEnd.Damaged
            : _buffered == 0 ? JournalEnd.Clean
            : JournalEnd.Torn;
        LeaveSegment();
        return false;
    }

    private bool TryFindSegment()
    {
        // The directory is listed once; from then on a segment's successor is found by its name.
        if (_lastSegmentBase >= 0 && File.Exists(JournalFormat.SegmentPath(_directory, Position)))
        {
            _segmentBase = Position;
            _lastSegmentBase = Math.Max(_lastSegmentBase, Position);
            return true;
        }

        long[] segments = JournalFormat.ListSegments(_directory);
        int found = Array.BinarySearch(segments, Position);
        int index = found >= 0 ? found : ~found - 1;
        if (index < 0)
        {
            // Nothing at all is a journal that has not begun. Something, but later, is one that lost its beginning.
            End = segments.Length > 0 ? JournalEnd.Damaged : JournalEnd.Clean;
            return false;
        }

        _segmentBase = segments[index];
        _lastSegmentBase = segments[^1];
        return true;
    }

    private bool TryReadHeader()
    {
        Fill(_segmentBase);
        Span<long> starts = stackalloc long[JournalFormat.ChannelCount];
        int headerBytes = SegmentHeader.Read(_buffer.AsSpan(0, _buffered), _segmentBase, starts);
        if (headerBytes == 0)
        {
            return false;
        }

        long firstRecord = _segmentBase + headerBytes;
        if (Position > firstRecord)
        {
            return true;
        }

        if ((Position != _segmentBase && Position != firstRecord) || !Agrees(starts))
        {
            return false;
        }

        starts.CopyTo(_expected);
        Position = firstRecord;
        return true;
    }

    private bool Agrees(ReadOnlySpan<long> starts)
    {
        for (int channel = 0; channel < starts.Length; channel++)
        {
            if (_expected[channel] >= 0 && _expected[channel] != starts[channel])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>At the end of a segment's bytes: true when its successor begins just here.</summary>
    private bool TryLeaveSegment()
    {
        // Exactly this name: a segment that grew since the read above and was closed after it has a successor further on.
        if (!File.Exists(JournalFormat.SegmentPath(_directory, Position)))
        {
            return false;
        }

        LeaveSegment();
        return true;
    }

    private void LeaveSegment()
    {
        _segment?.Dispose();
        _segment = null;
        _buffered = 0;
    }

    private bool IsSegmentClosed(bool mayHaveChanged)
    {
        if (_segmentBase == _lastSegmentBase && mayHaveChanged)
        {
            long[] segments = JournalFormat.ListSegments(_directory);
            _lastSegmentBase = segments.Length > 0 ? segments[^1] : _segmentBase;
        }

        return _segmentBase < _lastSegmentBase;
    }

    private JournalEnd EndOfBytes() => Position > _segmentBase + _segment!.Length ? JournalEnd.Beyond : JournalEnd.Clean;

    private void Fill(long position)
    {
        _bufferPosition = position;
        _buffered = 0;
        while (_buffered < _buffer.Length)
        {
            int asked = _buffer.Length - _buffered;
            int read = _segment!.Read(_buffer.AsSpan(_buffered), position - _segmentBase + _buffered);
            _buffered += read;
            if (read < asked)
            {
                return; // The end of the file, as it is now.
            }
        }
    }

    private Look LookAt(long position, out JournalRecord record)
    {
        record = default;
        long at = position - _bufferPosition;
        if (at < 0 || at + RecordHead.Bytes > _buffered)
        {
            return Look.Short;
        }

        ReadOnlySpan<byte> bytes = _buffer.AsSpan((int)at, _buffered - (int)at);
        int length = RecordHead.LengthOf(bytes);
        if (length == 0)
        {
            return Look.Wrong;
        }

        int whole = RecordHead.Bytes + length;
        if (whole > bytes.Length)
        {
            return Look.Short;
        }

        uint checksum = RecordHead.ChecksumOf(bytes);
        JournalChannel channel = RecordHead.ChannelOf(bytes);
        long streamOffset = RecordHead.StreamOffsetOf(bytes);
        long expected = _expected[(int)channel];
        if (checksum != Crc32C.Compute(bytes[RecordHead.CheckedFrom..whole]) || (expected >= 0 && streamOffset != expected))
        {
            return Look.Wrong;
        }

        record = new JournalRecord
        {
            Position = position,
            NextPosition = position + whole,
            Channel = channel,
            Flags = RecordHead.FlagsOf(bytes),
            UnixNanoseconds = RecordHead.TimeOf(bytes),
            StreamOffset = streamOffset,
            Payload = new ReadOnlyMemory<byte>(_buffer, (int)at + RecordHead.Bytes, length),
            Checksum = checksum,
        };
        return Look.Whole;
    }
}
