using System.Buffers.Binary;

namespace Holdfast.Protocol.Journal;

/// <summary>
/// The sparse index beside a segment, little-endian: a header <c>8 magic | u64 base position</c>, then entries of 40 bytes
/// <c>u64 position | i64 unix ns | u64 stdout | u64 stderr | u32 record crc32c | u32 crc32c of base position and entry</c>.
/// Derived, never synced, thrown away at the first doubt.
/// </summary>
internal static class SegmentIndexFormat
{
    public const int HeaderBytes = 16;
    public const int EntryBytes = 40;

    /// <summary>At least this much journal lies between two entries: what a reader scans at most after a seek, some 0.4 ms.</summary>
    public const int IntervalBytes = 1024 * 1024;

    private const int TimeAt = 8;
    private const int StdoutAt = 16;
    private const int StderrAt = 24;
    private const int RecordChecksumAt = 32;
    private const int ChecksumAt = 36;

    private static ReadOnlySpan<byte> Magic => [0x89, (byte)'H', (byte)'F', (byte)'X', 0x0D, 0x0A, 0x1A, 0x01];

    public static void WriteHeader(Span<byte> header, long basePosition)
    {
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt64LittleEndian(header[8..], basePosition);
    }

    public static bool IsHeader(ReadOnlySpan<byte> header, long basePosition) =>
        header.Length >= HeaderBytes && header.StartsWith(Magic) && BinaryPrimitives.ReadInt64LittleEndian(header[8..]) == basePosition;

    public static void WriteEntry(Span<byte> bytes, long basePosition, SegmentIndexEntry entry)
    {
        BinaryPrimitives.WriteInt64LittleEndian(bytes, entry.Position);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[TimeAt..], entry.UnixNanoseconds);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[StdoutAt..], entry.Stdout);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[StderrAt..], entry.Stderr);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[RecordChecksumAt..], entry.RecordChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[ChecksumAt..], Checksum(bytes, basePosition));
    }

    public static bool TryReadEntry(ReadOnlySpan<byte> bytes, long basePosition, out SegmentIndexEntry entry)
    {
        entry = default;
        if (bytes.Length < EntryBytes || BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumAt..]) != Checksum(bytes, basePosition))
        {
            return false;
        }

        entry = new SegmentIndexEntry(
            BinaryPrimitives.ReadInt64LittleEndian(bytes),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[TimeAt..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[StdoutAt..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[StderrAt..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[RecordChecksumAt..])
        );
        return true;
    }

    private static uint Checksum(ReadOnlySpan<byte> entry, long basePosition)
    {
        Span<byte> head = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(head, basePosition);
        return Crc32C.Finish(Crc32C.Append(Crc32C.Append(Crc32C.Start, head), entry[..ChecksumAt]));
    }
}
