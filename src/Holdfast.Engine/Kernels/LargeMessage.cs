using System.Buffers.Binary;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// A message that the journal holds in several records, while it is read piece by piece: its beginning, and which part of each piece is
/// content.
/// </summary>
internal sealed class LargeMessage
{
    private readonly long _contentStart; // From the beginning of the multipart.
    private readonly long _contentEnd;
    private long _taken;

    private LargeMessage(JupyterMessage head, long length, long contentStart, long contentEnd) =>
        (Head, Length, _contentStart, _contentEnd) = (head, length, contentStart, contentEnd);

    /// <summary>With header, parent and metadata, and without content.</summary>
    public JupyterMessage Head { get; }

    /// <summary>Of the whole message, in bytes.</summary>
    public long Length { get; }

    /// <summary>Null when this is no first piece of several, or when it ends before the content begins, which no kernel's does.</summary>
    public static LargeMessage? Begin(in JournalRecord record)
    {
        if (
            (record.Flags & (JournalFlags.Continues | JournalFlags.Continued)) != JournalFlags.Continues
            || JupyterMessage.TryParsePrefix(record.Payload) is not { } peek
        )
        {
            return null;
        }

        ReadOnlySpan<byte> head = record.Payload.Span;
        int count = (int)BinaryPrimitives.ReadUInt32LittleEndian(head);
        int content = peek.Identities.Length + 5; // Identities, delimiter, signature, header, parent, metadata: and then the content.
        long start = Multipart.HeadLength(count);
        long total = start;
        long length = 0;
        for (int i = 0; i < count; i++)
        {
            uint frame = BinaryPrimitives.ReadUInt32LittleEndian(head[(4 + (4 * i))..]);
            total += frame;
            start += i < content ? frame : 0;
            length = i == content ? frame : length;
        }

        return start <= record.Payload.Length && JupyterMessage.TryParsePrefix(record.Payload[..(int)start].ToArray()) is { } kept
            ? new LargeMessage(kept, total, start, start + length)
            : null;
    }

    /// <summary>The content in this piece. Every piece has to be given once, the first one included.</summary>
    public ReadOnlySpan<byte> Take(ReadOnlySpan<byte> piece)
    {
        long from = Math.Clamp(_contentStart - _taken, 0, piece.Length);
        long to = Math.Clamp(_contentEnd - _taken, 0, piece.Length);
        _taken += piece.Length;
        return piece[(int)from..(int)to];
    }
}
