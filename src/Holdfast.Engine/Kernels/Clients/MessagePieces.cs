using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels.Clients;

/// <summary>What a look into the journal gave.</summary>
public enum PieceKind
{
    /// <summary>Nothing more is there now.</summary>
    None,

    /// <summary>The first piece of a message; mostly all of it.</summary>
    First,

    /// <summary>The next piece of the message that was begun.</summary>
    Next,

    /// <summary>The message that was begun will never be whole: its writer died. What follows is another.</summary>
    Cut,

    /// <summary>The incarnation's exit record: nothing comes after it.</summary>
    Exit,
}

/// <summary>
/// Reads one incarnation's journal as a client is to see it: what the kernel said on iopub, shell, control and stdin, piece by piece,
/// without ever holding a large message. Chooses nothing but the channel; whose reply it is, is for <see cref="ClientSessions"/> to say.
/// </summary>
public sealed class MessagePieces(string journal, long position) : IDisposable
{
    private readonly JournalFollower _reader = JournalFollower.Open(journal, position);
    private readonly Queue<(KernelChannel Channel, byte[] Payload)> _between = new();
    private JournalChannel _begun; // Event while no message is begun.

    /// <summary>Where to read on from after the last whole message: everything before it has been given.</summary>
    public long Position { get; private set; } = position;

    /// <summary>Where the next record will be read from.</summary>
    public long ReadPosition => _reader.Position;

    /// <summary>True when a message was read already and waits for its turn.</summary>
    public bool HasHeld => _between.Count > 0;

    public KernelChannel Channel { get; private set; }

    /// <summary>Valid from the first piece of a message to its last.</summary>
    public MessageShape Shape { get; } = new();

    /// <summary>The piece, without the multipart's head and identities. Valid until the next read.</summary>
    public ReadOnlyMemory<byte> Piece { get; private set; }

    /// <summary>
    /// Of a first piece: the payload as the journal has it, for <see cref="MessageShape.Header"/> and <see cref="MessageShape.Parent"/>.
    /// </summary>
    public ReadOnlyMemory<byte> Payload { get; private set; }

    /// <summary>True when the piece ends its message.</summary>
    public bool IsLast { get; private set; }

    /// <summary>True between the pieces of a message.</summary>
    public bool IsBegun => _begun != JournalChannel.Event;

    /// <summary>True when the journal is broken here: nothing can be read from it any more.</summary>
    public bool IsDamaged => _reader.End is JournalEnd.Damaged or JournalEnd.Beyond;

    public PieceKind Read()
    {
        if (_begun == JournalChannel.Event && _between.TryDequeue(out (KernelChannel Channel, byte[] Payload) held))
        {
            return Begin(held.Channel, held.Payload, isLast: true);
        }

        while (_reader.TryRead(out JournalRecord record))
        {
            if (_reader.HasExited)
            {
                Position = record.Position;
                bool isCut = IsBegun;
                _begun = JournalChannel.Event;
                return isCut ? PieceKind.Cut : PieceKind.Exit;
            }

            if (Take(record) is var kind && kind != PieceKind.None)
            {
                return kind;
            }

            Position = _begun == JournalChannel.Event ? record.NextPosition : Position;
        }

        return _reader.HasExited ? PieceKind.Exit : PieceKind.None;
    }

    /// <summary>The writer is gone: gives up the message that was begun, so that nobody begins it again.</summary>
    public void GiveUp()
    {
        Position = _reader.Position;
        _begun = JournalChannel.Event;
    }

    public void Dispose() => _reader.Dispose();

    private static KernelChannel? ChannelOf(JournalChannel channel) =>
        channel switch
        {
            JournalChannel.IoPub => KernelChannel.IoPub,
            JournalChannel.Shell => KernelChannel.Shell,
            JournalChannel.Control => KernelChannel.Control,
            JournalChannel.Stdin => KernelChannel.Stdin,
            _ => null,
        };

    private PieceKind Take(in JournalRecord record)
    {
        if (ChannelOf(record.Channel) is not { } channel)
        {
            return PieceKind.None;
        }

        bool continues = (record.Flags & JournalFlags.Continues) != 0;
        bool continued = (record.Flags & JournalFlags.Continued) != 0;
        if (_begun == record.Channel)
        {
            if (continued)
            {
                return Give(record.Payload, PieceKind.Next, isLast: !continues);
            }

            Position = record.Position; // Behind the one that was cut: it is never begun again.
            _begun = JournalChannel.Event;
            return PieceKind.Cut;
        }

        if (continued)
        {
            return PieceKind.None; // The rest of a message that began before reading did, or that is none.
        }

        if (_begun != JournalChannel.Event)
        {
            // Two channels' pieces interleave only where the journal was short of room. The other message waits for its turn.
            _between.Enqueue((channel, record.Payload.ToArray()));
            return PieceKind.None;
        }

        PieceKind kind = Begin(channel, record.Payload, isLast: !continues);
        _begun = kind == PieceKind.First && continues ? record.Channel : _begun;
        return kind;
    }

    private PieceKind Begin(KernelChannel channel, ReadOnlyMemory<byte> payload, bool isLast)
    {
        if (!Shape.TryRead(payload.Span))
        {
            return PieceKind.None;
        }

        Channel = channel;
        Payload = payload;
        return Give(payload[Shape.HeaderAt..], PieceKind.First, isLast);
    }

    private PieceKind Give(ReadOnlyMemory<byte> piece, PieceKind kind, bool isLast)
    {
        Piece = piece;
        IsLast = isLast;
        if (isLast)
        {
            _begun = JournalChannel.Event;
            Position = _between.Count == 0 ? _reader.Position : Position;
        }

        return kind;
    }
}
