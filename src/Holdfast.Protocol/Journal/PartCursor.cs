namespace Holdfast.Protocol.Journal;

/// <summary>
/// A place within a row of native parts. A copy of it walks on its own, which is how a piece is checksummed before it is written.
/// </summary>
internal unsafe struct PartCursor
{
    private int _part;
    private long _offset;

    /// <summary>The next run of bytes within one part, at most <paramref name="limit"/> long; empty parts are stepped over.</summary>
    public byte* Take(NativePart* parts, int limit, out int taken)
    {
        while (_offset == parts[_part].Length)
        {
            _part++;
            _offset = 0;
        }

        byte* start = parts[_part].Start + _offset;
        taken = (int)Math.Min(limit, parts[_part].Length - _offset);
        _offset += taken;
        return start;
    }
}
