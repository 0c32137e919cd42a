using System.Buffers.Binary;

namespace Holdfast.Protocol.Journal;

/// <summary>
/// The 28 bytes before each payload, little-endian:
/// <c>u32 length | u32 crc32c | i64 unix ns | u8 channel | u8 flags | u16 0 | u64 stream offset</c>.
/// Length counts the payload only and is never 0, so zeros are no record; the checksum covers everything after itself.
/// </summary>
internal static class RecordHead
{
    public const int Bytes = 28;

    /// <summary>Where the bytes under the checksum begin.</summary>
    public const int CheckedFrom = 8;

    private const int ChecksumAt = 4;
    private const int TimeAt = 8;
    private const int ChannelAt = 16;
    private const int FlagsAt = 17;
    private const int ReservedAt = 18;
    private const int StreamOffsetAt = 20;

    public static void Write(
        Span<byte> head,
        int length,
        long unixNanoseconds,
        JournalChannel channel,
        JournalFlags flags,
        long streamOffset
    )
    {
        BinaryPrimitives.WriteUInt32LittleEndian(head, (uint)length);
        BinaryPrimitives.WriteInt64LittleEndian(head[TimeAt..], unixNanoseconds);
        head[ChannelAt] = (byte)channel;
        head[FlagsAt] = (byte)flags;
        BinaryPrimitives.WriteUInt16LittleEndian(head[ReservedAt..], 0);
        BinaryPrimitives.WriteInt64LittleEndian(head[StreamOffsetAt..], streamOffset);
    }

    public static void WriteChecksum(Span<byte> head, uint checksum) =>
        BinaryPrimitives.WriteUInt32LittleEndian(head[ChecksumAt..], checksum);

    /// <summary>The payload's length, or 0 when the bytes cannot be a head's length.</summary>
    public static int LengthOf(ReadOnlySpan<byte> head)
    {
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(head);
        return length <= JournalFormat.PayloadBytesMax ? (int)length : 0;
    }

    public static uint ChecksumOf(ReadOnlySpan<byte> head) => BinaryPrimitives.ReadUInt32LittleEndian(head[ChecksumAt..]);

    public static long TimeOf(ReadOnlySpan<byte> head) => BinaryPrimitives.ReadInt64LittleEndian(head[TimeAt..]);

    public static JournalChannel ChannelOf(ReadOnlySpan<byte> head) => (JournalChannel)head[ChannelAt];

    public static JournalFlags FlagsOf(ReadOnlySpan<byte> head) => (JournalFlags)head[FlagsAt];

    public static long StreamOffsetOf(ReadOnlySpan<byte> head) => BinaryPrimitives.ReadInt64LittleEndian(head[StreamOffsetAt..]);
}
