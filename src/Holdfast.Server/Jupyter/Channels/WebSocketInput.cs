using System.Buffers.Binary;
using System.Numerics;
using System.Text.Unicode;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>
/// Reads a client's frames, RFC 6455 section 5: joins fragments, takes off the masks, and hands out whole messages and control frames.
/// Memory grows with what has arrived, never with what a length announces. What breaks the rules is a <see cref="CloseException"/>.
/// </summary>
internal sealed class WebSocketInput(Stream stream, long messageBytesMax)
{
    private const int BufferBytes = 16 * 1024;

    /// <summary>A buffer past this is given back after its message.</summary>
    private const int KeptBytesMax = 256 * 1024;

    private byte[] _incoming = new byte[BufferBytes];
    private int _at;
    private int _filled;
    private byte[] _message = [];
    private int _length;
    private readonly byte[] _control = new byte[WebSocketFrame.ControlPayloadMax];
    private int _controlLength;
    private Opcode _kind; // Of the message that is being joined; Continuation when there is none.

    /// <summary>The message that was read; valid until the next read.</summary>
    public ReadOnlyMemory<byte> Message => _message.AsMemory(0, _length);

    /// <summary>The payload of the control frame that was read; valid until the next.</summary>
    public ReadOnlySpan<byte> ControlPayload => _control.AsSpan(0, _controlLength);

    /// <summary>Counts everything received, so that a client that is silent can be told from one that is slow.</summary>
    public long ReceivedBytes { get; private set; }

    /// <summary>
    /// Text, Binary, or a control frame; null when the client is gone. Between fragments a control frame leaves the message alone.
    /// </summary>
    public async ValueTask<Opcode?> ReadAsync(CancellationToken cancellationToken)
    {
        if (_kind == Opcode.Continuation)
        {
            _length = 0;
            _message = _message.Length > KeptBytesMax ? [] : _message;
        }

        while (true)
        {
            if (!await HaveAsync(2, cancellationToken))
            {
                return null;
            }

            (byte first, byte second) = (_incoming[_at], _incoming[_at + 1]);
            int lengthBytes = (second & 0x7F) switch
            {
                126 => 2,
                127 => 8,
                _ => 0,
            };
            int head = 2 + lengthBytes + 4;
            var opcode = (Opcode)(first & 0x0F);
            bool isFinal = (first & 0x80) != 0;
            CheckHead(first, second, opcode, isFinal);
            if (!await HaveAsync(head, cancellationToken))
            {
                return null;
            }

            ulong length = lengthBytes switch
            {
                2 => BinaryPrimitives.ReadUInt16BigEndian(_incoming.AsSpan(_at + 2)),
                8 => BinaryPrimitives.ReadUInt64BigEndian(_incoming.AsSpan(_at + 2)),
                _ => (ulong)(second & 0x7F),
            };
            uint mask = BitConverter.ToUInt32(_incoming.AsSpan(_at + head - 4));
            _at += head;
            if (opcode >= Opcode.Close)
            {
                if (!await HaveAsync((int)length, cancellationToken))
                {
                    return null;
                }

                _controlLength = (int)length;
                _incoming.AsSpan(_at, _controlLength).CopyTo(_control);
                Unmask(_control.AsSpan(0, _controlLength), mask, 0);
                _at += _controlLength;
                return opcode;
            }

            if (length > (ulong)(messageBytesMax - _length))
            {
                throw new CloseException(CloseCode.TooBig, $"A message may have {messageBytesMax} bytes; --max-message raises it.");
            }

            _kind = opcode == Opcode.Continuation ? _kind : opcode;
            if (!await TakeAsync((int)length, mask, cancellationToken))
            {
                return null;
            }

            if (isFinal)
            {
                Opcode kind = _kind;
                _kind = Opcode.Continuation;
                return kind != Opcode.Text || Utf8.IsValid(_message.AsSpan(0, _length))
                    ? kind
                    : throw new CloseException(CloseCode.InvalidPayload, "The text is not UTF-8.");
            }
        }
    }

    /// <summary>
    /// Reads and forgets, until the client is gone: bytes left unread would make the system reset the connection, and our last words would
    /// be lost with it.
    /// </summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        while (await stream.ReadAsync(_incoming, cancellationToken) > 0)
        {
            ReceivedBytes++;
        }
    }

    private void CheckHead(byte first, byte second, Opcode opcode, bool isFinal)
    {
        if (
            (first & 0x70) != 0
            || opcode is not (Opcode.Continuation or Opcode.Text or Opcode.Binary or Opcode.Close or Opcode.Ping or Opcode.Pong)
        )
        {
            throw new CloseException(CloseCode.ProtocolError, "A frame of a kind that was not agreed on.");
        }

        if ((second & 0x80) == 0)
        {
            throw new CloseException(CloseCode.ProtocolError, "A client's frames must be masked.");
        }

        if (
            opcode >= Opcode.Close
                ? !isFinal || (second & 0x7F) > WebSocketFrame.ControlPayloadMax
                : (opcode == Opcode.Continuation) != (_kind != Opcode.Continuation)
        )
        {
            throw new CloseException(CloseCode.ProtocolError, "A fragment out of its place, or a control frame in fragments.");
        }
    }

    private async ValueTask<bool> TakeAsync(int left, uint mask, CancellationToken cancellationToken)
    {
        int taken = 0;
        while (left > 0)
        {
            int had = Math.Min(left, _filled - _at);
            if (had > 0)
            {
                Grow(_length + had);
                _incoming.AsSpan(_at, had).CopyTo(_message.AsSpan(_length));
                _at += had;
            }
            else
            {
                // Straight to where it belongs; more room than has come is made only as it comes.
                Grow(_length + Math.Min(left, Math.Max(BufferBytes, _length)));
                had = await stream.ReadAsync(_message.AsMemory(_length, Math.Min(left, _message.Length - _length)), cancellationToken);
                if (had == 0)
                {
                    return false;
                }

                ReceivedBytes += had;
            }

            Unmask(_message.AsSpan(_length, had), mask, taken);
            _length += had;
            taken += had;
            left -= had;
        }

        return true;
    }

    private void Grow(int needed)
    {
        if (needed > _message.Length)
        {
            Array.Resize(ref _message, (int)Math.Min(Math.Max(needed, 2L * _message.Length), Math.Max(needed, messageBytesMax)));
        }
    }

    private async ValueTask<bool> HaveAsync(int needed, CancellationToken cancellationToken)
    {
        while (_filled - _at < needed)
        {
            _incoming.AsSpan(_at, _filled - _at).CopyTo(_incoming);
            (_at, _filled) = (0, _filled - _at);
            int read = await stream.ReadAsync(_incoming.AsMemory(_filled), cancellationToken);
            if (read == 0)
            {
                return false;
            }

            _filled += read;
            ReceivedBytes += read;
        }

        return true;
    }

    private static void Unmask(Span<byte> bytes, uint mask, int offset)
    {
        mask = BitOperations.RotateRight(mask, 8 * (offset & 3));
        int i = 0;
        if (Vector.IsHardwareAccelerated && bytes.Length >= Vector<byte>.Count)
        {
            Vector<byte> masks = Vector.AsVectorByte(new Vector<uint>(mask));
            for (; i <= bytes.Length - Vector<byte>.Count; i += Vector<byte>.Count)
            {
                (new Vector<byte>(bytes[i..]) ^ masks).CopyTo(bytes[i..]);
            }
        }

        for (; i < bytes.Length; i++)
        {
            bytes[i] ^= (byte)(mask >> (8 * (i & 3)));
        }
    }
}
