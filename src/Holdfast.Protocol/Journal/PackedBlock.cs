using System.Buffers.Binary;

namespace Holdfast.Protocol.Journal;

/// <summary>One line of a packed segment's table: where the block lies in the file, its bytes there, and their checksum.</summary>
internal readonly record struct PackedBlock(long Offset, int Bytes, uint Checksum)
{
    public void Write(Span<byte> entry)
    {
        BinaryPrimitives.WriteInt64LittleEndian(entry, Offset);
        BinaryPrimitives.WriteInt32LittleEndian(entry[8..], Bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], Checksum);
    }

    public static PackedBlock Read(ReadOnlySpan<byte> entry) =>
        new(
            BinaryPrimitives.ReadInt64LittleEndian(entry),
            BinaryPrimitives.ReadInt32LittleEndian(entry[8..]),
            BinaryPrimitives.ReadUInt32LittleEndian(entry[12..])
        );
}
