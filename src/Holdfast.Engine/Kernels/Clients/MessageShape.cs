using System.Buffers.Binary;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels.Clients;

/// <summary>
/// Where the frames of one multipart lie that a client is to see: header, parent, metadata, content, buffers. Read from the first piece of
/// it, so that a message of 100 MB can be passed on while it is read. Used again for the next message; allocates only when one has more
/// frames than any before.
/// </summary>
public sealed class MessageShape
{
    /// <summary>Frames of the message proper that come before the buffers.</summary>
    public const int JsonFrames = 4;

    private const int IdentitiesMax = 16;
    private uint[] _lengths = new uint[8];

    /// <summary>The message's frames without identities, delimiter and signature.</summary>
    public int Count { get; private set; }

    public ReadOnlySpan<uint> Lengths => _lengths.AsSpan(0, Count);

    /// <summary>Where the header begins in the multipart.</summary>
    public int HeaderAt { get; private set; }

    /// <summary>Bytes from the header to the end of the last buffer: they lie together, in the order in which clients want them.</summary>
    public long Length { get; private set; }

    /// <summary>False when these are not the first bytes of a Jupyter message, with its header and its parent whole.</summary>
    public bool TryRead(ReadOnlySpan<byte> first)
    {
        if (first.Length < 4)
        {
            return false;
        }

        uint count = BinaryPrimitives.ReadUInt32LittleEndian(first);
        if (count > (uint)(first.Length - 4) / 4)
        {
            return false;
        }

        long at = Multipart.HeadLength((int)count);
        for (int i = 0; i < Math.Min(count, IdentitiesMax); i++)
        {
            uint length = LengthOf(first, i);
            if (at + length > first.Length)
            {
                return false;
            }

            if (first.Slice((int)at, (int)length).SequenceEqual(JupyterMessage.Delimiter))
            {
                return TryRead(first, i + 1, (int)count, at + length);
            }

            at += length;
        }

        return false;
    }

    /// <summary>A message as <see cref="JupyterEnvelope"/> builds it, without identities and signature.</summary>
    public bool TryReadUnsigned(ReadOnlySpan<byte> multipart) =>
        multipart.Length >= 4
        && BinaryPrimitives.ReadUInt32LittleEndian(multipart) is var count
        && count <= (uint)(multipart.Length - 4) / 4
        && TryTake(multipart, 0, (int)count, Multipart.HeadLength((int)count));

    public ReadOnlySpan<byte> Header(ReadOnlySpan<byte> first) => first.Slice(HeaderAt, (int)_lengths[0]);

    public ReadOnlySpan<byte> Parent(ReadOnlySpan<byte> first) => first.Slice(HeaderAt + (int)_lengths[0], (int)_lengths[1]);

    private static uint LengthOf(ReadOnlySpan<byte> multipart, int frame) =>
        BinaryPrimitives.ReadUInt32LittleEndian(multipart[(4 + (4 * frame))..]);

    private bool TryRead(ReadOnlySpan<byte> first, int signature, int count, long at) =>
        signature < count && TryTake(first, signature + 1, count, at + LengthOf(first, signature));

    private bool TryTake(ReadOnlySpan<byte> first, int header, int count, long at)
    {
        Count = count - header;
        if (Count < JsonFrames)
        {
            return false;
        }

        if (Count > _lengths.Length)
        {
            _lengths = new uint[Count];
        }

        HeaderAt = (int)at;
        Length = 0;
        for (int i = 0; i < Count; i++)
        {
            _lengths[i] = LengthOf(first, header + i);
            Length += _lengths[i];
        }

        return at + _lengths[0] + _lengths[1] <= first.Length;
    }
}
