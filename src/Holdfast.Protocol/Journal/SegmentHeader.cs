using System.Buffers.Binary;

namespace Holdfast.Protocol.Journal;

/// <summary>
/// The head of a segment file: who it is, where it stands in the journal, and every channel's stream offset at its start, so
/// that a segment can be read alone. Little-endian:
/// <c>8 magic | u16 version | u16 header bytes | u32 crc32c | u64 base position | u32 channels | u32 0</c>, then for each channel
/// with a past <c>u8 channel | 7 zeros | u64 stream offset</c>. The checksum covers all of it but itself.
/// </summary>
internal static class SegmentHeader
{
    public const int BytesMax = FixedBytes + JournalFormat.ChannelCount * EntryBytes;

    public const int FixedBytes = 32;
    private const int EntryBytes = 16;
    private const int VersionAt = 8;
    private const int LengthAt = 10;
    private const int ChecksumAt = 12;
    private const int BaseAt = 16;
    private const int CountAt = 24;

    // PNG's idea: a high bit, the name, both line ends and a DOS end of file, so that no text conversion goes unnoticed.
    private static ReadOnlySpan<byte> Magic => [0x89, (byte)'H', (byte)'F', (byte)'J', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Writes the header and returns its length.</summary>
    public static int Write(Span<byte> header, long basePosition, ReadOnlySpan<long> streamOffsets)
    {
        int count = 0;
        int length = FixedBytes;
        for (int channel = 0; channel < streamOffsets.Length; channel++)
        {
            if (streamOffsets[channel] > 0)
            {
                Span<byte> entry = header.Slice(length, EntryBytes);
                entry.Clear();
                entry[0] = (byte)channel;
                BinaryPrimitives.WriteInt64LittleEndian(entry[8..], streamOffsets[channel]);
                length += EntryBytes;
                count++;
            }
        }

        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header[VersionAt..], JournalFormat.Version);
        BinaryPrimitives.WriteUInt16LittleEndian(header[LengthAt..], (ushort)length);
        BinaryPrimitives.WriteInt64LittleEndian(header[BaseAt..], basePosition);
        BinaryPrimitives.WriteInt32LittleEndian(header[CountAt..], count);
        BinaryPrimitives.WriteInt32LittleEndian(header[(CountAt + 4)..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(header[ChecksumAt..], Checksum(header[..length]));
        return length;
    }

    /// <summary>
    /// Reads a header from the start of a file and returns its length, or 0 when it is incomplete or wrong.
    /// A whole header of another version is no damage, and nothing may touch such a file: <see cref="JournalVersionException"/>.
    /// </summary>
    public static int Read(ReadOnlySpan<byte> file, long basePosition, Span<long> streamOffsets)
    {
        if (file.Length < FixedBytes || !file.StartsWith(Magic))
        {
            return 0;
        }

        int length = BinaryPrimitives.ReadUInt16LittleEndian(file[LengthAt..]);
        if (
            length < FixedBytes
            || length > file.Length
            || Checksum(file[..length]) != BinaryPrimitives.ReadUInt32LittleEndian(file[ChecksumAt..])
        )
        {
            return 0;
        }

        int version = BinaryPrimitives.ReadUInt16LittleEndian(file[VersionAt..]);
        if (version != JournalFormat.Version)
        {
            throw new JournalVersionException(version);
        }

        int count = BinaryPrimitives.ReadInt32LittleEndian(file[CountAt..]);
        if (BinaryPrimitives.ReadInt64LittleEndian(file[BaseAt..]) != basePosition || length != FixedBytes + (long)count * EntryBytes)
        {
            return 0;
        }

        streamOffsets.Clear();
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> entry = file.Slice(FixedBytes + i * EntryBytes, EntryBytes);
            streamOffsets[entry[0]] = BinaryPrimitives.ReadInt64LittleEndian(entry[8..]);
        }

        return length;
    }

    internal static bool HasMagic(ReadOnlySpan<byte> file) => file.StartsWith(Magic);

    internal static void WriteMagic(Span<byte> header) => Magic.CopyTo(header);

    /// <summary>Of a whole header, its own four bytes left out: they have the same place in every version.</summary>
    internal static uint Checksum(ReadOnlySpan<byte> header)
    {
        uint before = Crc32C.Append(Crc32C.Start, header[..ChecksumAt]);
        return Crc32C.Finish(Crc32C.Append(before, header[(ChecksumAt + 4)..]));
    }
}
