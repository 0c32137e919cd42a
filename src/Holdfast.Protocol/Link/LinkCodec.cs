using System.Buffers;
using System.Buffers.Binary;
using Holdfast.Protocol.Json;

namespace Holdfast.Protocol.Link;

/// <summary>
/// Framing: <c>u32 length | u8 type | u8 0 | u16 headerLength | header (JSON) | body</c>, little-endian; length counts what follows it.
/// </summary>
public static class LinkCodec
{
    public const int ProtocolVersion = 1;

    /// <summary>The oldest peer this build still speaks with.</summary>
    public const int ProtocolVersionMin = 1;

    /// <summary>
    /// A frame past this is refused as damage: requests to kernels may carry buffers of many megabytes, nothing carries more.
    /// </summary>
    public const int FrameBytesMax = 128 * 1024 * 1024;

    private const int HeadBytes = 8;

    /// <summary>Writes one frame to <paramref name="output"/>.</summary>
    public static void Write(IBufferWriter<byte> output, LinkMessage message)
    {
        WriteHead(output, message, message.Body.Length);
        output.Write(message.Body.Span);
    }

    /// <summary>
    /// Writes a frame up to its body, which the caller sends next: a file's bytes, for example, that need not pass through memory.
    /// </summary>
    public static void WriteHead(IBufferWriter<byte> output, LinkMessage message, int bodyLength)
    {
        var writer = new PlainJsonWriter();
        message.WriteHeader(writer);
        ReadOnlySpan<byte> header = writer.Written;
        if (header.Length > ushort.MaxValue)
        {
            throw new LinkFormatException($"A header of {header.Length} bytes does not fit its frame.");
        }

        Span<byte> head = output.GetSpan(HeadBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(head, (uint)(4 + header.Length + bodyLength));
        head[4] = (byte)message.Type;
        head[5] = 0;
        BinaryPrimitives.WriteUInt16LittleEndian(head[6..], (ushort)header.Length);
        output.Advance(HeadBytes);
        output.Write(header);
    }

    /// <summary>
    /// Takes one whole frame off the front of <paramref name="buffer"/>; false when it is not all there yet, and then
    /// <paramref name="needed"/> says how many bytes the frame takes (or 4, before its length is known). The body is a slice of the buffer.
    /// </summary>
    public static bool TryRead(ReadOnlyMemory<byte> buffer, out LinkMessage? message, out int consumed, out int needed)
    {
        message = null;
        consumed = 0;
        needed = 4;
        ReadOnlySpan<byte> span = buffer.Span;
        if (span.Length < 4)
        {
            return false;
        }

        uint length = BinaryPrimitives.ReadUInt32LittleEndian(span);
        if (length is < 4 or > FrameBytesMax)
        {
            throw new LinkFormatException($"A frame of {length} bytes is outside 4 to {FrameBytesMax}.");
        }

        needed = (int)length + 4;
        if (span.Length < needed)
        {
            return false;
        }

        int headerLength = BinaryPrimitives.ReadUInt16LittleEndian(span[6..]);
        if (headerLength > length - 4)
        {
            throw new LinkFormatException("A header reaches past its frame.");
        }

        message = LinkMessage.Read(
            (LinkMessageType)span[4],
            span.Slice(HeadBytes, headerLength),
            buffer[(HeadBytes + headerLength)..needed]
        );
        consumed = needed;
        return true;
    }
}
