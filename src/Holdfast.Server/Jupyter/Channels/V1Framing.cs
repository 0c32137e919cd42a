using System.Buffers.Binary;
using Holdfast.Engine.Kernels.Clients;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>
/// v1.kernel.websocket.jupyter.org: <c>u64 count | u64 offset[count] | channel | header | parent | metadata | content | buffers...</c>,
/// little-endian, the last offset being the frame's end. The kernel's bytes pass through as they are.
/// </summary>
internal sealed class V1Framing : IFraming
{
    public const string Subprotocol = "v1.kernel.websocket.jupyter.org";

    private const int WordBytes = 8;

    public ClientRequest Read(Opcode kind, ReadOnlyMemory<byte> message)
    {
        if (kind != Opcode.Binary)
        {
            throw new CloseException(CloseCode.UnsupportedData, $"In {Subprotocol} every frame is binary.");
        }

        ReadOnlySpan<byte> bytes = message.Span;
        ulong count = bytes.Length >= WordBytes ? BinaryPrimitives.ReadUInt64LittleEndian(bytes) : 0;
        if (count < MessageShape.JsonFrames + 2 || count > (ulong)(bytes.Length - WordBytes) / WordBytes)
        {
            throw Broken();
        }

        int parts = (int)count - 1;
        Span<long> lengths = parts <= 64 ? stackalloc long[parts] : new long[parts];
        ulong at = WordBytes * (count + 1);
        for (int i = 0; i <= parts; i++)
        {
            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(WordBytes * (i + 1))..]);
            if (offset < at || offset > (ulong)bytes.Length)
            {
                throw Broken();
            }

            if (i > 0)
            {
                lengths[i - 1] = (long)(offset - at);
            }

            at = offset;
        }

        int first = (int)(at - (ulong)Sum(lengths)); // The channel; from it to the end the parts lie without gaps.
        int header = first + (int)lengths[0];
        byte[] multipart = new byte[Multipart.HeadLength(parts - 1) + (int)at - header];
        int head = Multipart.WriteHead(multipart, lengths[1..]);
        bytes[header..(int)at].CopyTo(multipart.AsSpan(head));
        return new ClientRequest(ChannelNames.Parse(bytes[first..header]), multipart);
    }

    public void Plan(FramePlan plan, KernelChannel channel, MessageShape shape, ReadOnlySpan<byte> header)
    {
        ReadOnlySpan<byte> name = channel.Name();
        plan.Begin();
        int count = shape.Count + 2;
        Span<byte> table = plan.Room(WordBytes * (count + 1));
        long at = table.Length;
        BinaryPrimitives.WriteInt64LittleEndian(table, count);
        BinaryPrimitives.WriteInt64LittleEndian(table[WordBytes..], at);
        at += name.Length;
        BinaryPrimitives.WriteInt64LittleEndian(table[(2 * WordBytes)..], at);
        for (int i = 0; i < shape.Count; i++)
        {
            at += shape.Lengths[i];
            BinaryPrimitives.WriteInt64LittleEndian(table[((3 + i) * WordBytes)..], at);
        }

        plan.Add(name).End(Opcode.Binary, shape);
    }

    private static long Sum(ReadOnlySpan<long> lengths)
    {
        long sum = 0;
        foreach (long length in lengths)
        {
            sum += length;
        }

        return sum;
    }

    private static CloseException Broken() => new(CloseCode.InvalidPayload, "The offsets of the frame do not lie within it, in order.");
}
