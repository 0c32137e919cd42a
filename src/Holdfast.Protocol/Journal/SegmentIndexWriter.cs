using Holdfast.Protocol.Processes;

namespace Holdfast.Protocol.Journal;

/// <summary>
/// Writes the index of the segment being written, one entry per MiB, never synced. It may fail at any point without harm: whoever
/// misses entries scans, and rebuilds the file once its segment is closed.
/// </summary>
internal sealed unsafe class SegmentIndexWriter(string directory) : IDisposable
{
    private int _file = -1;
    private bool _hasFailed;
    private long _base;
    private long _size;
    private long _nextPosition;

    /// <summary>Turns to a segment. An index left from an earlier life of it goes now, before any record that it does not know.</summary>
    public void Begin(long basePosition)
    {
        Dispose();
        _base = basePosition;
        _size = 0;
        _nextPosition = basePosition + SegmentIndexFormat.IntervalBytes;
        _hasFailed = false;
        File.Delete(JournalFormat.IndexPath(directory, basePosition));
    }

    public void Note(SegmentIndexEntry entry)
    {
        if (entry.Position < _nextPosition || _hasFailed)
        {
            return;
        }

        _nextPosition = entry.Position + SegmentIndexFormat.IntervalBytes;
        byte* bytes = stackalloc byte[SegmentIndexFormat.HeaderBytes + SegmentIndexFormat.EntryBytes];
        int length = 0;
        if (_file < 0)
        {
            _file = Libc.Open(
                JournalFormat.IndexPath(directory, _base),
                Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenTruncate | Libc.OpenCloseOnExec,
                Libc.OwnerReadWrite
            );
            SegmentIndexFormat.WriteHeader(new Span<byte>(bytes, SegmentIndexFormat.HeaderBytes), _base);
            length = SegmentIndexFormat.HeaderBytes;
        }

        SegmentIndexFormat.WriteEntry(new Span<byte>(bytes + length, SegmentIndexFormat.EntryBytes), _base, entry);
        length += SegmentIndexFormat.EntryBytes;
        var vector = new IoVector { Start = bytes, Length = (nuint)length };
        _hasFailed = _file < 0 || Libc.PWriteV(_file, &vector, 1, _size) != length;
        _size += length;
    }

    public void Dispose()
    {
        if (_file >= 0)
        {
            _ = Libc.Close(_file);
            _file = -1;
        }
    }
}
