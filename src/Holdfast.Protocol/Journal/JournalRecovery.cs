using Holdfast.Protocol.Processes;

namespace Holdfast.Protocol.Journal;

/// <summary>
/// Finds where the journal of a writer that died ends, with the reader itself, so that both always agree on what is whole; and cuts what
/// lies behind.
/// </summary>
internal static class JournalRecovery
{
    /// <summary>
    /// The end of the last whole record. When that is where the last segment begins, the segment has no whole header and is to be created
    /// again.
    /// </summary>
    /// <param name="streamLengths">Payload bytes of each channel up to there; written.</param>
    /// <param name="bytesCut">How many bytes lay behind it.</param>
    public static long FindEnd(string directory, long[] segments, SegmentIndexWriter index, Span<long> streamLengths, out long bytesCut)
    {
        long last = segments[^1];
        using (SegmentFile segment = SegmentFile.Open(directory, last))
        {
            if (segment.IsPacked)
            {
                // It was packed because it is over. There is nobody who may go on with it, and nothing in it may be cut.
                throw new JournalDamagedException(directory, last);
            }
        }

        long end = ReadLast(directory, last, index, streamLengths);
        if (end == last)
        {
            // Died between creating the segment and its header, or the header is broken: what came before says where we stand.
            StreamLengthsBefore(directory, segments, streamLengths);
        }

        bytesCut = CutTail(directory, last, end);
        return end;
    }

    private static long ReadLast(string directory, long last, SegmentIndexWriter index, Span<long> streamLengths)
    {
        using JournalReader reader = JournalReader.Open(directory, last);
        index.Begin(last);
        while (reader.TryRead(out JournalRecord record))
        {
            index.Note(SegmentIndex.EntryOf(reader, record));
        }

        reader.CopyStreamLengths(streamLengths);
        return reader.Position;
    }

    private static void StreamLengthsBefore(string directory, long[] segments, Span<long> streamLengths)
    {
        streamLengths.Clear();
        if (segments.Length == 1 && segments[0] == 0)
        {
            return;
        }

        if (segments.Length == 1)
        {
            throw new JournalDamagedException(directory, segments[0]);
        }

        using JournalReader reader = JournalReader.Open(directory, segments[^2]);
        while (reader.TryRead(out _)) { }

        if (reader.Position != segments[^1])
        {
            throw new JournalDamagedException(directory, reader.Position);
        }

        reader.CopyStreamLengths(streamLengths);
    }

    /// <summary>
    /// Cuts everything from a position on. Bytes that are not all zero go to a file beside the segment first: after a power
    /// failure they may hold more than a torn record, and only a person may throw that away.
    /// </summary>
    private static long CutTail(string directory, long segmentBase, long position)
    {
        int file = SegmentWriter.Open(directory, segmentBase);
        try
        {
            long length = TornTail.Keep(file, position - segmentBase, JournalFormat.CutPath(directory, position));
            if (length > 0 && Libc.Ftruncate(file, position - segmentBase) != 0)
            {
                throw Libc.Failure("ftruncate", JournalFormat.SegmentPath(directory, segmentBase));
            }

            return length;
        }
        finally
        {
            _ = Libc.Close(file);
        }
    }
}
