using System.Buffers.Binary;

namespace Holdfast.Protocol.Jupyter;

/// <summary>
/// A whole ZeroMQ multipart message as one run of bytes: <c>u32 frameCount, u32 length[frameCount], frames</c>, little-endian, and nothing
/// after the last frame. The form of Jupyter messages in the journal and on the link.
/// </summary>
public static class Multipart
{
    /// <summary>The bytes in front of the first frame.</summary>
    public static int HeadLength(int frameCount) => checked(4 + (4 * frameCount));

    public static long EncodedLength(ReadOnlySpan<ReadOnlyMemory<byte>> frames)
    {
        long length = HeadLength(frames.Length);
        foreach (ReadOnlyMemory<byte> frame in frames)
        {
            length += frame.Length;
        }

        return length;
    }

    public static byte[] Encode(params ReadOnlySpan<ReadOnlyMemory<byte>> frames)
    {
        var encoded = new byte[EncodedLength(frames)];
        BinaryPrimitives.WriteUInt32LittleEndian(encoded, (uint)frames.Length);
        int head = 4;
        int at = HeadLength(frames.Length);
        foreach (ReadOnlyMemory<byte> frame in frames)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(encoded.AsSpan(head), (uint)frame.Length);
            frame.Span.CopyTo(encoded.AsSpan(at));
            head += 4;
            at += frame.Length;
        }

        return encoded;
    }

    /// <summary>The head for frames that are written after it by the caller, from wherever they lie. A frame past 4 GiB cannot be told and
    /// throws.</summary>
    public static int WriteHead(Span<byte> head, ReadOnlySpan<long> frameLengths)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(head, (uint)frameLengths.Length);
        for (int i = 0; i < frameLengths.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(head[(4 + (4 * i))..], checked((uint)frameLengths[i]));
        }

        return HeadLength(frameLengths.Length);
    }

    /// <summary>Slices <paramref name="encoded"/> into its frames without copying. False when the lengths do not add up to exactly the
    /// bytes given.</summary>
    public static bool TryDecode(ReadOnlyMemory<byte> encoded, out ReadOnlyMemory<byte>[] frames) =>
        TryDecode(encoded, isPrefix: false, out frames);

    /// <summary>
    /// As <see cref="TryDecode"/> for the first part of a message whose rest is not at hand: gives the frames that are all there. Enough to
    /// know whose output a message of 100 MB is, from its first journal record.
    /// </summary>
    public static bool TryDecodePrefix(ReadOnlyMemory<byte> prefix, out ReadOnlyMemory<byte>[] wholeFrames) =>
        TryDecode(prefix, isPrefix: true, out wholeFrames);

    private static bool TryDecode(ReadOnlyMemory<byte> encoded, bool isPrefix, out ReadOnlyMemory<byte>[] frames)
    {
        frames = [];
        ReadOnlySpan<byte> span = encoded.Span;
        if (span.Length < 4)
        {
            return false;
        }

        // The count is believed only as far as the bytes at hand could hold that many lengths, so damage cannot ask for memory.
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(span);
        if (count > (uint)(span.Length - 4) / 4)
        {
            return false;
        }

        var found = new ReadOnlyMemory<byte>[count];
        long at = 4 + (4L * count);
        for (int i = 0; i < found.Length; i++)
        {
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(span[(4 + (4 * i))..]);
            if (at + length > span.Length)
            {
                frames = isPrefix ? found[..i] : [];
                return isPrefix;
            }

            found[i] = encoded.Slice((int)at, (int)length);
            at += length;
        }

        if (at != span.Length)
        {
            return false;
        }

        frames = found;
        return true;
    }
}
