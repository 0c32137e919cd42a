namespace Holdfast.Protocol.Journal;

/// <summary>What a record made of its channel's payload.</summary>
public enum PayloadState
{
    /// <summary>More pieces are to come.</summary>
    Incomplete,

    /// <summary>The payload is whole.</summary>
    Whole,

    /// <summary>The payload is complete in the journal, but past the limit and not kept here.</summary>
    TooLarge,
}

/// <summary>
/// Joins the pieces of split payloads, channel by channel, for those who need a message whole. An unsplit payload is passed through
/// without a copy. Feed it every record in order.
/// </summary>
public sealed class PayloadJoiner(int payloadBytesMax)
{
    private readonly Pending?[] _pending = new Pending?[JournalFormat.ChannelCount];

    /// <summary>
    /// Payloads whose rest was never written, because their writer died between two pieces. They are known as such when the next payload
    /// of their channel begins.
    /// </summary>
    public long CutPayloads { get; private set; }

    /// <summary>Takes one record. The payload is valid until the reader's and this object's next call.</summary>
    public PayloadState Join(in JournalRecord record, out ReadOnlyMemory<byte> payload)
    {
        payload = default;
        ref Pending? pending = ref _pending[(int)record.Channel];
        bool continues = (record.Flags & JournalFlags.Continues) != 0;
        if ((record.Flags & JournalFlags.Continued) == 0)
        {
            CutPayloads += pending is null ? 0 : 1;
            pending = null;
            if (!continues)
            {
                payload = record.Payload;
                return payload.Length <= payloadBytesMax ? PayloadState.Whole : PayloadState.TooLarge;
            }

            pending = new Pending();
        }
        else if (pending is null)
        {
            // Joined in the middle: reading began after the payload's first piece, so that it can never be whole.
            return PayloadState.Incomplete;
        }

        pending.Add(record.Payload.Span, payloadBytesMax);
        if (continues)
        {
            return PayloadState.Incomplete;
        }

        bool isTooLarge = pending.IsTooLarge;
        payload = pending.Bytes;
        pending = null;
        return isTooLarge ? PayloadState.TooLarge : PayloadState.Whole;
    }

    private sealed class Pending
    {
        private byte[] _bytes = new byte[2 * JournalFormat.PayloadBytesMax];
        private int _length;

        public bool IsTooLarge { get; private set; }

        public ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(0, _length);

        public void Add(ReadOnlySpan<byte> piece, int limit)
        {
            IsTooLarge |= piece.Length > limit - _length;
            if (IsTooLarge)
            {
                _bytes = [];
                _length = 0;
                return;
            }

            if (piece.Length > _bytes.Length - _length)
            {
                // Doubled, but never past the largest array that there can be.
                Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max(2L * _bytes.Length, (long)_length + piece.Length)));
            }

            piece.CopyTo(_bytes.AsSpan(_length));
            _length += piece.Length;
        }
    }
}
