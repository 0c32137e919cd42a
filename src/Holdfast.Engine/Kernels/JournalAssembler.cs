using Holdfast.Protocol.Journal;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// Puts payloads that were split over several records together again, per channel: another channel's record may stand between two pieces.
/// </summary>
internal sealed class JournalAssembler
{
    /// <summary>A message past this is not put together: the journal has it, the fold of a notebook cannot hold it.</summary>
    public const int MessageBytesMax = 1 << 30;

    private readonly Dictionary<JournalChannel, Pieces> _open = [];

    private sealed class Pieces
    {
        public byte[] Buffer = new byte[512 * 1024];
        public int Length;
        public long Position;
        public bool IsTooLarge;
    }

    /// <summary>True when <paramref name="record"/> completes a payload; it is then in <paramref name="payload"/>, valid until the next call.</summary>
    public bool TryComplete(in JournalRecord record, out ReadOnlyMemory<byte> payload, out long position)
    {
        bool continues = (record.Flags & JournalFlags.Continues) != 0;
        if (!_open.TryGetValue(record.Channel, out Pieces? pieces))
        {
            if (!continues)
            {
                payload = record.Payload;
                position = record.Position;
                return true;
            }

            _open[record.Channel] = pieces = new Pieces { Position = record.Position };
        }

        Add(pieces, record.Payload.Span);
        position = pieces.Position;
        payload = pieces.Buffer.AsMemory(0, pieces.Length);
        if (continues)
        {
            return false;
        }

        _open.Remove(record.Channel);
        return !pieces.IsTooLarge;
    }

    private static void Add(Pieces pieces, ReadOnlySpan<byte> piece)
    {
        if (pieces.IsTooLarge || (long)pieces.Length + piece.Length > MessageBytesMax)
        {
            pieces.IsTooLarge = true;
            return;
        }

        if (pieces.Length + piece.Length > pieces.Buffer.Length)
        {
            Array.Resize(ref pieces.Buffer, (int)Math.Min(MessageBytesMax, Math.Max(2L * pieces.Buffer.Length, pieces.Length + piece.Length)));
        }

        piece.CopyTo(pieces.Buffer.AsSpan(pieces.Length));
        pieces.Length += piece.Length;
    }
}
