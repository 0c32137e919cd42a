namespace Holdfast.Protocol.Journal;

/// <summary>
/// A command's output as plain bytes from any offset: one stream, or both in the order in which they were journalled. Finds its place
/// by the sparse index, checks every record on the way, and holds no more than one record. One owner at a time.
/// </summary>
public sealed class JournalOutput : IDisposable
{
    // After so much that was not asked for, such as stdout when stderr is read, it pays to look for a way round the rest.
    private const long StepOverBytes = 4 * 1024 * 1024;

    private readonly string _directory;
    private readonly OutputStream _stream;
    private readonly JournalReader _reader;
    private ReadOnlyMemory<byte> _run;
    private ExitWatch _exit;

    private JournalOutput(string directory, OutputStream stream, long offset)
    {
        _directory = directory;
        _stream = stream;
        Offset = offset;
        _reader = JournalReader.Open(directory);
    }

    /// <summary>The stream offset of the byte that is read next.</summary>
    public long Offset { get; private set; }

    /// <summary>Where in the journal the next record is read.</summary>
    public long Position => _reader.Position;

    /// <summary>Why the last read gave nothing.</summary>
    public JournalEnd End => _reader.End;

    /// <summary>True once the exit event was passed: there is nothing after it.</summary>
    public bool HasExited => _exit.HasExited;

    /// <summary>From an offset on. One past the end waits there, and reads what is appended from that offset on.</summary>
    public static JournalOutput Open(string directory, OutputStream stream, long offset = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        var output = new JournalOutput(directory, stream, offset);
        try
        {
            output.Seek();
            return output;
        }
        catch
        {
            output.Dispose();
            throw;
        }
    }

    /// <summary>Looks how much there is by now, at the price of reading about the last MiB.</summary>
    public static OutputLengths Measure(string directory)
    {
        using JournalOutput output = Open(directory, OutputStream.All, long.MaxValue);
        while (output.TryAdvance()) { }

        JournalReader reader = output._reader;
        return new OutputLengths(
            Math.Max(0, reader.StreamLength(JournalChannel.Stdout)),
            Math.Max(0, reader.StreamLength(JournalChannel.Stderr)),
            reader.Position,
            reader.End,
            output.HasExited
        );
    }

    /// <summary>Fills the destination as far as there are bytes now; 0 when there are none. Ask again after growth.</summary>
    public int Read(Span<byte> destination)
    {
        int read = 0;
        while (read < destination.Length && (!_run.IsEmpty || TryAdvance()))
        {
            int length = Math.Min(_run.Length, destination.Length - read);
            _run.Span[..length].CopyTo(destination[read..]);
            _run = _run[length..];
            Offset += length;
            read += length;
        }

        return read;
    }

    /// <summary>
    /// The next run of bytes where it lies, valid until the next call: reading without a copy. False when there is none now.
    /// </summary>
    public bool TryRead(out ReadOnlyMemory<byte> run)
    {
        if (_run.IsEmpty && !TryAdvance())
        {
            run = default;
            return false;
        }

        run = _run;
        Offset += run.Length;
        _run = default;
        return true;
    }

    public void Dispose() => _reader.Dispose();

    private bool TryAdvance()
    {
        long steppedOver = 0;
        while (_reader.TryRead(out JournalRecord record))
        {
            _exit.See(record);
            if (TryTake(record))
            {
                return true;
            }

            steppedOver += record.Payload.Length;
            if (steppedOver >= StepOverBytes)
            {
                steppedOver = 0;
                Seek();
            }
        }

        return false;
    }

    private bool TryTake(in JournalRecord record)
    {
        if (!IsWanted(record.Channel))
        {
            return false;
        }

        long start = record.StreamOffset;
        if (_stream == OutputStream.All)
        {
            start += _reader.StreamLength(record.Channel == JournalChannel.Stdout ? JournalChannel.Stderr : JournalChannel.Stdout);
        }

        if (start > Offset)
        {
            throw new JournalDamagedException(_directory, record.Position);
        }

        long before = Offset - start;
        if (before >= record.Payload.Length)
        {
            return false;
        }

        _run = record.Payload[(int)before..];
        return true;
    }

    private bool IsWanted(JournalChannel channel) =>
        channel switch
        {
            JournalChannel.Stdout => _stream != OutputStream.Stderr,
            JournalChannel.Stderr => _stream != OutputStream.Stdout,
            _ => false,
        };

    /// <summary>Moves the reader on to the last known place before the wanted byte; stays where it is when that is no gain.</summary>
    private void Seek()
    {
        OutputPlace start = OutputPlace.Find(_directory, _stream, Offset);
        SegmentIndexEntry[] entries = SegmentIndex.Load(_directory, start.SegmentBase, start.IsClosed);
        OutputPlace place = start.Refine(entries, _stream, Offset);
        long position = _reader.Position;
        (long stdout, long stderr) = (_reader.StreamLength(JournalChannel.Stdout), _reader.StreamLength(JournalChannel.Stderr));
        if (place.IsFromIndex && place.At.Position > position)
        {
            if (TryMoveTo(place))
            {
                return;
            }

            // The index lies. The records decide: from the segment's start, or from where we were when that is further on.
            if (place.IsClosed)
            {
                place = start.Refine(SegmentIndex.Rebuild(_directory, start.SegmentBase), _stream, Offset);
            }
            else
            {
                place = start;
            }
        }

        if (place.At.Position > position)
        {
            _reader.MoveTo(place.At.Position, place.At.Stdout, place.At.Stderr);
        }
        else if (_reader.Position != position)
        {
            _reader.MoveTo(position, stdout, stderr);
        }
    }

    /// <summary>
    /// An index entry counts only if its very record is found there, whole, with that checksum and at that stream offset.
    /// </summary>
    private bool TryMoveTo(in OutputPlace place)
    {
        SegmentIndexEntry at = place.At;
        _reader.MoveTo(at.Position, at.Stdout, at.Stderr);
        if (!_reader.TryRead(out JournalRecord record) || record.Checksum != at.RecordChecksum)
        {
            return false;
        }

        _reader.MoveTo(at.Position, at.Stdout, at.Stderr);
        return true;
    }
}
