namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>
/// UTF-8 that only grows at its end, up to a limit. At the limit the middle is let go of and counted: the first half stays, and of the
/// rest the newest; a program that prints without end then costs a bounded amount, and its beginning and its latest words are both there.
/// </summary>
internal sealed class OutputBytes(int bytesMax, OutputSpools? spools = null)
{
    private byte[] _bytes = [];
    private int _count;
    private int _headEnd;

    /// <summary>Where what was let go of went, if anywhere.</summary>
    public OutputSpool? Spool { get; private set; }

    /// <summary>What was let go of, between the first <see cref="HeadLength"/> bytes and the rest.</summary>
    public long Omitted { get; private set; }

    public int HeadLength => Omitted == 0 ? _count : _headEnd;

    public int Count => _count;

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, _count);

    /// <summary>Appends, and says by how much the bytes at and after <see cref="HeadLength"/> have moved to the front.</summary>
    public int Append(ReadOnlySpan<byte> text)
    {
        int moved = 0;
        while (text.Length > bytesMax - _count)
        {
            // Always cut when exactly full, however the text arrives, so that what is kept does not depend on the chunks.
            int room = bytesMax - _count;
            Add(text[..room]);
            text = text[room..];
            moved += Cut();
        }

        Add(text);
        return moved;
    }

    /// <summary>Forgets everything from this position on.</summary>
    public void Truncate(int count) => _count = count;

    private void Add(ReadOnlySpan<byte> text)
    {
        if (_bytes.Length - _count < text.Length)
        {
            long wanted = Math.Max((long)_count + text.Length, Math.Max(256L, (long)_bytes.Length * 2));
            Array.Resize(ref _bytes, (int)Math.Min(wanted, bytesMax));
        }

        text.CopyTo(_bytes.AsSpan(_count));
        _count += text.Length;
    }

    private int Cut()
    {
        if (_headEnd == 0)
        {
            _headEnd = LineStart(bytesMax / 2);
        }

        int tail = LineStart(_count - (bytesMax / 4));
        int removed = tail - _headEnd;
        if (spools is not null)
        {
            Spool ??= spools.Open();
            Spool.Append(_bytes.AsSpan(_headEnd, removed));
        }

        _bytes.AsSpan(tail, _count - tail).CopyTo(_bytes.AsSpan(_headEnd));
        _count -= removed;
        Omitted += removed;
        return removed;
    }

    /// <summary>The start of the line around a position, or, where lines are longer than an eighth of all, of the character.</summary>
    private int LineStart(int position)
    {
        int line = _bytes.AsSpan(0, position).LastIndexOf((byte)'\n') + 1;
        if (line > position - (bytesMax / 8) && line > 0)
        {
            return line;
        }

        while (position > 0 && (_bytes[position] & 0xC0) == 0x80)
        {
            position--;
        }

        return position;
    }
}
