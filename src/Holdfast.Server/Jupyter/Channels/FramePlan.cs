using Holdfast.Engine.Kernels.Clients;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>
/// How one kernel message becomes one WebSocket frame: the kernel's own bytes in their order, with text of the framing before some of them.
/// Its length is known before the first byte of content is at hand. Used again for each message.
/// </summary>
internal sealed class FramePlan
{
    /// <summary>Text goes before header, parent, metadata, content, and after the content.</summary>
    public const int Places = 5;

    private readonly int[] _ends = new int[Places];
    private byte[] _text = new byte[512];
    private int _length;
    private int _place;

    public Opcode Opcode { get; private set; }

    /// <summary>The payload's bytes; the frame's head is not counted.</summary>
    public long PayloadLength { get; private set; }

    public long FrameLength => PayloadLength + WebSocketFrame.HeadLength(PayloadLength);

    public ReadOnlyMemory<byte> Text(int place) =>
        _text.AsMemory(place == 0 ? 0 : _ends[place - 1], _ends[place] - (place == 0 ? 0 : _ends[place - 1]));

    public void Begin() => (_length, _place) = (0, 0);

    public FramePlan Add(ReadOnlySpan<byte> text)
    {
        text.CopyTo(Room(text.Length));
        return this;
    }

    public Span<byte> Room(int length)
    {
        if (_length + length > _text.Length)
        {
            Array.Resize(ref _text, Math.Max(_length + length, 2 * _text.Length));
        }

        _length += length;
        return _text.AsSpan(_length - length, length);
    }

    /// <summary>The first bytes of the first text, to be filled in when the lengths are known.</summary>
    public Span<byte> Start(int length) => _text.AsSpan(0, length);

    /// <summary>What is added from now on goes to the next place.</summary>
    public void Next() => _ends[_place++] = _length;

    public void End(Opcode opcode, MessageShape shape)
    {
        while (_place < Places)
        {
            Next();
        }

        Opcode = opcode;
        PayloadLength = _length + shape.Length;
    }
}
