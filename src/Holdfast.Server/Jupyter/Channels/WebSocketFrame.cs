using System.Buffers.Binary;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>The kinds of frames, RFC 6455 section 5.2.</summary>
internal enum Opcode : byte
{
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// <summary>
/// The frames a server sends: unmasked and never in fragments. A message of 100 MB is one frame whose payload is written as it is read,
/// because its length is known beforehand and some clients join fragments at the cost of their square.
/// </summary>
internal static class WebSocketFrame
{
    public const int HeadBytesMax = 10;
    public const int ControlPayloadMax = 125;
    private const byte Final = 0x80;

    public static int HeadLength(long payload) =>
        payload < 126 ? 2
        : payload <= ushort.MaxValue ? 4
        : 10;

    public static int WriteHead(Span<byte> head, Opcode opcode, long payload)
    {
        head[0] = (byte)(Final | (byte)opcode);
        int length = HeadLength(payload);
        switch (length)
        {
            case 2:
                head[1] = (byte)payload;
                break;
            case 4:
                head[1] = 126;
                BinaryPrimitives.WriteUInt16BigEndian(head[2..], (ushort)payload);
                break;
            default:
                head[1] = 127;
                BinaryPrimitives.WriteInt64BigEndian(head[2..], payload);
                break;
        }

        return length;
    }

    public static byte[] Control(Opcode opcode, ReadOnlySpan<byte> payload)
    {
        byte[] frame = new byte[2 + payload.Length];
        _ = WriteHead(frame, opcode, payload.Length);
        payload.CopyTo(frame.AsSpan(2));
        return frame;
    }

    public static byte[] Close(int code, string reason)
    {
        Span<byte> payload = stackalloc byte[ControlPayloadMax];
        BinaryPrimitives.WriteUInt16BigEndian(payload, (ushort)code);
        _ = System.Text.Encoding.UTF8.TryGetBytes(reason, payload[2..], out int length);
        return Control(Opcode.Close, payload[..(2 + length)]);
    }
}
