using System.Buffers;

namespace Holdfast.Engine.Notebooks.Json;

/// <summary>
/// Bytes that grow by adding arrays, never by copying into a larger one: a cell's outputs may be hundreds of megabytes, and doubling would
/// hold them three times over.
/// </summary>
internal sealed class Segments : IBufferWriter<byte>
{
    private const int FirstBytes = 1024;
    private const int LargestBytes = 1 << 20;

    private readonly List<ReadOnlyMemory<byte>> _full = [];
    private byte[] _last = new byte[FirstBytes];
    private int _used;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_last.Length - _used < Math.Max(sizeHint, 1))
        {
            _full.Add(_last.AsMemory(0, _used));
            _last = new byte[Math.Max(sizeHint, Math.Min(_last.Length * 2, LargestBytes))];
            _used = 0;
        }

        return _last.AsMemory(_used);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public void Advance(int count) => _used += count;

    public void Write(Action<ReadOnlyMemory<byte>> output)
    {
        foreach (ReadOnlyMemory<byte> segment in _full)
        {
            output(segment);
        }

        output(_last.AsMemory(0, _used));
    }

    /// <summary>All of it in one array.</summary>
    public byte[] ToArray()
    {
        int length = _used;
        foreach (ReadOnlyMemory<byte> segment in _full)
        {
            length += segment.Length;
        }

        byte[] all = new byte[length];
        int at = 0;
        Write(segment =>
        {
            segment.CopyTo(all.AsMemory(at));
            at += segment.Length;
        });
        return all;
    }
}
