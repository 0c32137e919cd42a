using System.Buffers.Binary;

namespace Holdfast.Protocol.Journal;

/// <summary>
/// The head of a packed segment, version 2 of a segment's file: the bytes of a version 1 segment in blocks, each compressed by itself, so
/// that any offset is read without what lies before its block. Little-endian: <c>8 magic | u16 version | u16 header bytes | u32 crc32c |
/// u64 base position | u64 segment bytes | u32 block bytes | u32 blocks | u32 crc32c of the table | u8 codec | 19 zeros</c>, then the
/// table, for each block <c>u64 offset in this file | u32 bytes | u32 crc32c</c>, then the blocks.
/// </summary>
internal readonly record struct PackedSegmentFormat(long SegmentBytes, int BlockBytes, int BlockCount, uint TableChecksum)
{
    public const int Version = 2;
    public const int HeaderBytes = 64;
    public const int EntryBytes = 16;

    /// <summary>
    /// What a reader holds twice, and inflates to reach any byte. Small against the time of a seek, large against a window of 32 KiB.
    /// </summary>
    public const int DefaultBlockBytes = 256 * 1024;

    /// <summary>A reader's bound: a header that asks for more memory than this is wrong.</summary>
    public const int BlockBytesMax = 1024 * 1024;

    public const int BlockCountMax = 1024 * 1024;

    /// <summary>RFC 1950. A block that has as many bytes as it holds is stored as it is.</summary>
    public const byte ZLib = 1;

    private const int VersionAt = 8;
    private const int LengthAt = 10;
    private const int ChecksumAt = 12;
    private const int BaseAt = 16;
    private const int SegmentBytesAt = 24;
    private const int BlockBytesAt = 32;
    private const int BlockCountAt = 36;
    private const int TableChecksumAt = 40;
    private const int CodecAt = 44;

    public int TableBytes => BlockCount * EntryBytes;

    /// <summary>Bytes of the segment that a block holds: all but the last hold the same.</summary>
    public int BytesOf(int block) => (int)Math.Min(BlockBytes, SegmentBytes - (long)block * BlockBytes);

    /// <summary>
    /// Whether a file begins as a packed segment does, damaged or not: nobody may take such a file for a torn one, and write to it.
    /// </summary>
    public static bool IsPacked(ReadOnlySpan<byte> file) =>
        file.Length >= HeaderBytes && SegmentHeader.HasMagic(file) && BinaryPrimitives.ReadUInt16LittleEndian(file[VersionAt..]) == Version;

    public void Write(Span<byte> header, long basePosition)
    {
        header = header[..HeaderBytes];
        header.Clear();
        SegmentHeader.WriteMagic(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header[VersionAt..], Version);
        BinaryPrimitives.WriteUInt16LittleEndian(header[LengthAt..], HeaderBytes);
        BinaryPrimitives.WriteInt64LittleEndian(header[BaseAt..], basePosition);
        BinaryPrimitives.WriteInt64LittleEndian(header[SegmentBytesAt..], SegmentBytes);
        BinaryPrimitives.WriteInt32LittleEndian(header[BlockBytesAt..], BlockBytes);
        BinaryPrimitives.WriteInt32LittleEndian(header[BlockCountAt..], BlockCount);
        BinaryPrimitives.WriteUInt32LittleEndian(header[TableChecksumAt..], TableChecksum);
        header[CodecAt] = ZLib;
        BinaryPrimitives.WriteUInt32LittleEndian(header[ChecksumAt..], SegmentHeader.Checksum(header));
    }

    /// <summary>
    /// Null when the header is wrong in itself, or asks for what it cannot have. A codec that this build does not know:
    /// <see cref="JournalVersionException"/>.
    /// </summary>
    public static PackedSegmentFormat? Read(ReadOnlySpan<byte> file, long basePosition)
    {
        if (
            BinaryPrimitives.ReadUInt16LittleEndian(file[LengthAt..]) != HeaderBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(file[ChecksumAt..]) != SegmentHeader.Checksum(file[..HeaderBytes])
            || BinaryPrimitives.ReadInt64LittleEndian(file[BaseAt..]) != basePosition
        )
        {
            return null;
        }

        if (file[CodecAt] != ZLib)
        {
            throw new JournalVersionException(Version, file[CodecAt]);
        }

        var format = new PackedSegmentFormat(
            BinaryPrimitives.ReadInt64LittleEndian(file[SegmentBytesAt..]),
            BinaryPrimitives.ReadInt32LittleEndian(file[BlockBytesAt..]),
            BinaryPrimitives.ReadInt32LittleEndian(file[BlockCountAt..]),
            BinaryPrimitives.ReadUInt32LittleEndian(file[TableChecksumAt..])
        );
        return
            format is { SegmentBytes: > 0, BlockBytes: > 0 and <= BlockBytesMax, BlockCount: > 0 and <= BlockCountMax }
            && format.BlockCount == (format.SegmentBytes - 1) / format.BlockBytes + 1
            ? format
            : null;
    }
}
