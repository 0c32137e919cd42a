using System.Buffers;
using Holdfast.Engine.Kernels.Clients;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>
/// Writes frames to a client's wire through one small buffer: small messages are gathered and leave together, large ones pass piece by
/// piece without being held. That buffer, and the system's, is all that a client which does not read can cost.
/// </summary>
internal sealed class FrameWriter(ClientWire wire, Action sent) : IDisposable
{
    private const int BufferBytes = 32 * 1024;

    /// <summary>Pieces past this are sent from where they lie.</summary>
    private const int CopiedBytesMax = 8 * 1024;

    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int _filled;
    private MessageShape? _shape;
    private FramePlan? _plan;
    private int _frame;
    private long _frameLeft;

    /// <summary>Bytes written, sent or not.</summary>
    public long WrittenBytes => wire.SentBytes + _filled;

    public long SentBytes => wire.SentBytes;

    public bool IsEmpty => _filled == 0;

    /// <summary>Begins a message; its pieces follow.</summary>
    public async ValueTask BeginAsync(FramePlan plan, MessageShape shape)
    {
        (_plan, _shape, _frame, _frameLeft) = (plan, shape, -1, 0);
        if (_filled + WebSocketFrame.HeadBytesMax > _buffer.Length)
        {
            await FlushAsync();
        }

        _filled += WebSocketFrame.WriteHead(_buffer.AsSpan(_filled), plan.Opcode, plan.PayloadLength);
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> piece, bool isLast)
    {
        int end = Math.Max(_shape!.Count, FramePlan.Places);
        while (!piece.IsEmpty || (isLast && _frame < end))
        {
            if (_frameLeft == 0)
            {
                _frame++;
                if (_frame < FramePlan.Places)
                {
                    await AddAsync(_plan!.Text(_frame));
                }

                _frameLeft = _frame < _shape.Count ? _shape.Lengths[_frame] : 0;
                if (_frame >= end && !piece.IsEmpty)
                {
                    throw new InvalidDataException("A message is longer than its own lengths say.");
                }

                continue;
            }

            if (piece.IsEmpty)
            {
                throw new InvalidDataException("A message is shorter than its own lengths say.");
            }

            int taken = (int)Math.Min(piece.Length, _frameLeft);
            await AddAsync(piece[..taken]);
            piece = piece[taken..];
            _frameLeft -= taken;
        }
    }

    /// <summary>Writes bytes that are frames already.</summary>
    public async ValueTask AddAsync(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > _buffer.Length - _filled)
        {
            await FlushAsync();
        }

        if (bytes.Length > CopiedBytesMax)
        {
            await FlushAsync();
            await wire.SendAsync(bytes);
            sent();
            wire.Push();
            return;
        }

        bytes.CopyTo(_buffer.AsMemory(_filled));
        _filled += bytes.Length;
    }

    public async ValueTask FlushAsync()
    {
        if (_filled > 0)
        {
            int filled = _filled;
            await wire.SendAsync(_buffer.AsMemory(0, filled));
            _filled = 0;
            sent();
            wire.Push();
        }
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);
}
