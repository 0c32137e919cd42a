using System.Buffers;

namespace Holdfast.Supervisor.Link;

/// <summary>Bytes on their way in or out: appended at the end, taken from the front, and small again when empty.</summary>
internal sealed class ByteQueue : IBufferWriter<byte>
{
    private const int KeptBytes = 16 * 1024;
    private byte[] _buffer = [];
    private int _start;
    private int _end;

    public int Length => _end - _start;

    public ReadOnlyMemory<byte> Content => new(_buffer, _start, Length);

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return new Memory<byte>(_buffer, _end, _buffer.Length - _end);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return new Span<byte>(_buffer, _end, _buffer.Length - _end);
    }

    public void Advance(int count) => _end += count;

    public void Take(int count)
    {
        _start += count;
        if (_start == _end)
        {
            _start = _end = 0;
            if (_buffer.Length > KeptBytes)
            {
                _buffer = [];
            }
        }
    }

    private void Reserve(int count)
    {
        if (_buffer.Length - _end >= count)
        {
            return;
        }

        int length = Length;
        if (_buffer.Length < length + count)
        {
            byte[] larger = new byte[Math.Max(length + count, Math.Max(1024, Math.Min(_buffer.Length, int.MaxValue / 4) * 2))];
            Buffer.BlockCopy(_buffer, _start, larger, 0, length);
            _buffer = larger;
        }
        else
        {
            Buffer.BlockCopy(_buffer, _start, _buffer, 0, length);
        }

        _start = 0;
        _end = length;
    }
}
