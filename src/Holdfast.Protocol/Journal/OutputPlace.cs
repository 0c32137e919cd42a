namespace Holdfast.Protocol.Journal;

/// <summary>
/// A place in the journal at or before a wanted byte of output, with the output that lies before it. Found by the segments' headers,
/// then within one segment by its index: two small reads, however long the journal is.
/// </summary>
internal readonly struct OutputPlace(long segmentBase, SegmentIndexEntry at, bool isFromIndex, bool isClosed)
{
    public long SegmentBase { get; } = segmentBase;

    /// <summary>
    /// The mark; where it is not from the index it is the segment's start, and only its position and offsets mean something.
    /// </summary>
    public SegmentIndexEntry At { get; } = at;

    public bool IsFromIndex { get; } = isFromIndex;

    public bool IsClosed { get; } = isClosed;

    /// <summary>The last place before which at most <paramref name="offset"/> bytes of the stream lie.</summary>
    public static OutputPlace Find(string directory, OutputStream stream, long offset)
    {
        long[] segments = JournalFormat.ListSegments(directory);
        SegmentIndexEntry start = default;
        int found = -1;
        for (int low = 0, high = segments.Length - 1; low <= high; )
        {
            int middle = low + (high - low) / 2;
            if (TryReadStart(directory, segments[middle], out SegmentIndexEntry candidate) && candidate.Before(stream) <= offset)
            {
                found = middle;
                start = candidate;
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        if (found < 0)
        {
            // Nothing is written yet, or the beginning is gone: position 0 lets the reader say which.
            return default;
        }

        bool isClosed = found < segments.Length - 1;
        return new OutputPlace(segments[found], start, isFromIndex: false, isClosed);
    }

    /// <summary>Goes further within the segment, by entries of its index.</summary>
    public OutputPlace Refine(SegmentIndexEntry[] entries, OutputStream stream, long offset)
    {
        OutputPlace best = this;
        foreach (SegmentIndexEntry entry in entries)
        {
            if (entry.Before(stream) > offset)
            {
                break;
            }

            best = new OutputPlace(SegmentBase, entry, isFromIndex: true, IsClosed);
        }

        return best;
    }

    private static bool TryReadStart(string directory, long basePosition, out SegmentIndexEntry start)
    {
        start = default;
        Span<byte> header = stackalloc byte[SegmentHeader.BytesMax];
        Span<long> starts = stackalloc long[JournalFormat.ChannelCount];
        using SegmentFile file = SegmentFile.Open(directory, basePosition);
        int read = file.Read(header, 0);
        if (SegmentHeader.Read(header[..read], basePosition, starts) == 0)
        {
            return false;
        }

        start = new SegmentIndexEntry(basePosition, 0, starts[(int)JournalChannel.Stdout], starts[(int)JournalChannel.Stderr], 0);
        return true;
    }
}
