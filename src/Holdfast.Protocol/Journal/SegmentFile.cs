using Holdfast.Protocol.Processes;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Protocol.Journal;

/// <summary>
/// A segment's bytes by their offsets, whether its file is plain or packed; an open one goes on reading the file it has when another takes
/// its name. One owner at a time.
/// </summary>
public sealed class SegmentFile : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly PackedSegment? _packed;

    private SegmentFile(SafeFileHandle file, bool isPacked, PackedSegment? packed) => (_file, IsPacked, _packed) = (file, isPacked, packed);

    /// <summary>It was packed when it was opened: complete, and never written to again.</summary>
    public bool IsPacked { get; }

    /// <summary>It is packed, and its blocks or its table are not what they were. Known once they were wanted.</summary>
    public bool IsDamaged => IsPacked && _packed is not { IsDamaged: false };

    /// <summary>Bytes of the segment by now, whatever its file takes on the disk.</summary>
    public long Length => IsPacked ? _packed?.Length ?? 0 : RandomAccess.GetLength(_file);

    /// <summary>For sendfile, of a plain one.</summary>
    public int Descriptor => (int)_file.DangerousGetHandle();

    public static SegmentFile Open(string directory, long basePosition)
    {
        SafeFileHandle file = PlainFile.Open(JournalFormat.SegmentPath(directory, basePosition));
        try
        {
            Span<byte> header = stackalloc byte[PackedSegmentFormat.HeaderBytes];
            int read = RandomAccess.Read(file, header, 0);
            bool isPacked = PackedSegmentFormat.IsPacked(header[..read]);
            return new SegmentFile(file, isPacked, isPacked ? PackedSegment.Open(file, header, basePosition) : null);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Bytes of the segment by now; 0 when there is no such segment.</summary>
    public static long LengthOf(string directory, long basePosition)
    {
        try
        {
            using SegmentFile segment = Open(directory, basePosition);
            return segment.Length;
        }
        catch (FileNotFoundException)
        {
            return 0;
        }
    }

    /// <summary>Bytes from an offset on; fewer than asked for at the end, as it is now, and where a packed one is damaged.</summary>
    public int Read(Span<byte> destination, long offset) =>
        !IsPacked ? RandomAccess.Read(_file, destination, offset) : _packed?.Read(destination, offset) ?? 0;

    /// <summary>What is shorter was torn at its creation.</summary>
    public const int HeadBytesMin = SegmentHeader.FixedBytes;

    /// <summary>
    /// Whether it begins as the segment at this position does. A packed one is unpacked as far as that takes.
    /// <see cref="JournalVersionException"/> for one of a later version.
    /// </summary>
    public bool HasHead(long basePosition)
    {
        Span<byte> head = stackalloc byte[SegmentHeader.BytesMax];
        Span<long> streams = stackalloc long[JournalFormat.ChannelCount];
        return SegmentHeader.Read(head[..Read(head, 0)], basePosition, streams) > 0;
    }

    public void Dispose()
    {
        _packed?.Dispose();
        _file.Dispose();
    }
}
