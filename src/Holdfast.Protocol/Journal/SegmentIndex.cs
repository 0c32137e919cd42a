using Holdfast.Protocol.Processes;

namespace Holdfast.Protocol.Journal;

/// <summary>Reads a segment's sparse index, and writes it anew from the records when it is missing, short or wrong.</summary>
internal static class SegmentIndex
{
    // A mark is due at the first record past each interval, so the last one lies at most this far from the end.
    private const long ReachBytes = SegmentIndexFormat.IntervalBytes + JournalFormat.RecordBytesMax;

    /// <summary>More than the index of any segment that a writer makes has: what is larger is not read to find a mark in it.</summary>
    private const int BytesMax = 16 * 1024 * 1024;

    /// <summary>
    /// The entries that are whole and in order. A closed segment whose index does not reach its end is scanned instead, and the
    /// index written again for the next reader.
    /// </summary>
    public static SegmentIndexEntry[] Load(string directory, long basePosition, bool isClosed)
    {
        SegmentIndexEntry[] entries = ReadEntries(JournalFormat.IndexPath(directory, basePosition), basePosition);
        if (!isClosed)
        {
            return entries;
        }

        long end = basePosition + SegmentFile.LengthOf(directory, basePosition);
        long reached = entries.Length > 0 ? entries[^1].Position : basePosition;
        return end - reached <= ReachBytes ? entries : Rebuild(directory, basePosition);
    }

    /// <summary>Scans a segment. What it finds is used even where it cannot be written.</summary>
    public static SegmentIndexEntry[] Rebuild(string directory, long basePosition)
    {
        var entries = new List<SegmentIndexEntry>();
        using (JournalReader reader = JournalReader.Open(directory, basePosition))
        {
            long next = basePosition + SegmentIndexFormat.IntervalBytes;
            while (reader.TryRead(out JournalRecord record) && reader.SegmentBase == basePosition)
            {
                if (record.Position >= next)
                {
                    next = record.Position + SegmentIndexFormat.IntervalBytes;
                    entries.Add(EntryOf(reader, record));
                }
            }
        }

        SegmentIndexEntry[] found = [.. entries];
        TryWrite(JournalFormat.IndexPath(directory, basePosition), basePosition, found);
        return found;
    }

    /// <summary>The mark for the record that the reader has just given.</summary>
    public static SegmentIndexEntry EntryOf(JournalReader reader, in JournalRecord record)
    {
        long stdout = reader.StreamLength(JournalChannel.Stdout);
        long stderr = reader.StreamLength(JournalChannel.Stderr);
        switch (record.Channel)
        {
            case JournalChannel.Stdout:
                stdout = record.StreamOffset;
                break;
            case JournalChannel.Stderr:
                stderr = record.StreamOffset;
                break;
        }

        return new SegmentIndexEntry(record.Position, record.UnixNanoseconds, stdout, stderr, record.Checksum);
    }

    private static SegmentIndexEntry[] ReadEntries(string path, long basePosition)
    {
        byte[] bytes;
        try
        {
            bytes = PlainFile.Read(path, BytesMax);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return [];
        }

        if (!SegmentIndexFormat.IsHeader(bytes, basePosition))
        {
            return [];
        }

        var entries = new SegmentIndexEntry[(bytes.Length - SegmentIndexFormat.HeaderBytes) / SegmentIndexFormat.EntryBytes];
        int count = 0;
        ReadOnlySpan<byte> rest = bytes.AsSpan(SegmentIndexFormat.HeaderBytes);
        while (count < entries.Length && SegmentIndexFormat.TryReadEntry(rest, basePosition, out entries[count]))
        {
            rest = rest[SegmentIndexFormat.EntryBytes..];
            count++;
        }

        return entries[..count];
    }

    private static void TryWrite(string path, long basePosition, SegmentIndexEntry[] entries)
    {
        byte[] bytes = new byte[SegmentIndexFormat.HeaderBytes + entries.Length * SegmentIndexFormat.EntryBytes];
        SegmentIndexFormat.WriteHeader(bytes, basePosition);
        for (int i = 0; i < entries.Length; i++)
        {
            SegmentIndexFormat.WriteEntry(
                bytes.AsSpan(SegmentIndexFormat.HeaderBytes + i * SegmentIndexFormat.EntryBytes),
                basePosition,
                entries[i]
            );
        }

        // A name for each thread: two readers may rebuild the same index at once, and both must end with a whole file.
        string temporary = $"{path}.{Environment.ProcessId}-{Environment.CurrentManagedThreadId}.tmp";
        try
        {
            File.WriteAllBytes(temporary, bytes);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // A full or read-only disk costs the next reader another scan, nothing more.
        }
    }
}
