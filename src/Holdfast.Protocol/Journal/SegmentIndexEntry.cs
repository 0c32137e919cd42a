namespace Holdfast.Protocol.Journal;

/// <summary>
/// One mark of the sparse index: a record, its time, and how much output lay before it. The record's own checksum binds the mark
/// to that very record, so that a mark left over from a tail that was cut is never taken for one of its successor.
/// </summary>
internal readonly struct SegmentIndexEntry(long position, long unixNanoseconds, long stdout, long stderr, uint recordChecksum)
{
    public long Position { get; } = position;
    public long UnixNanoseconds { get; } = unixNanoseconds;
    public long Stdout { get; } = stdout;
    public long Stderr { get; } = stderr;
    public uint RecordChecksum { get; } = recordChecksum;

    public long Before(OutputStream stream) =>
        stream switch
        {
            OutputStream.Stdout => Stdout,
            OutputStream.Stderr => Stderr,
            _ => Stdout + Stderr,
        };
}
