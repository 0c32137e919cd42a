using System.Buffers;
using System.IO.Compression;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Protocol.Journal;

/// <summary>
/// Reads a packed segment by the offsets that its bytes had before. Holds the table, and the two blocks that were wanted last: a record may
/// lie across two. A block that is not what the table says ends the reading there, as damage.
/// </summary>
internal sealed class PackedSegment : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly PackedSegmentFormat _format;
    private readonly byte[] _table;
    private readonly long _fileBytes;
    private byte[] _packed = [];
    private byte[] _block = [];
    private byte[] _before = [];
    private int _blockAt = -1;
    private int _beforeAt = -1;

    private PackedSegment(SafeFileHandle file, PackedSegmentFormat format, byte[] table) =>
        (_file, _format, _table, _fileBytes) = (file, format, table, RandomAccess.GetLength(file));

    public long Length => _format.SegmentBytes;

    /// <summary>A block was met that cannot be read.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>Null when header or table are wrong. The file stays the caller's.</summary>
    public static PackedSegment? Open(SafeFileHandle file, ReadOnlySpan<byte> header, long basePosition)
    {
        if (
            PackedSegmentFormat.Read(header, basePosition) is not { } format
            || format.TableBytes > RandomAccess.GetLength(file) - PackedSegmentFormat.HeaderBytes
        )
        {
            return null;
        }

        byte[] table = new byte[format.TableBytes];
        return ReadFully(file, table, PackedSegmentFormat.HeaderBytes) && Crc32C.Compute(table) == format.TableChecksum
            ? new PackedSegment(file, format, table)
            : null;
    }

    /// <summary>Bytes of the segment from an offset on, as many as fit and are there.</summary>
    public int Read(Span<byte> destination, long offset)
    {
        int read = 0;
        while (read < destination.Length && offset < Length && TryEnter((int)(offset / _format.BlockBytes)))
        {
            int at = (int)(offset % _format.BlockBytes);
            ReadOnlySpan<byte> rest = _block.AsSpan(at, _format.BytesOf(_blockAt) - at);
            int bytes = Math.Min(rest.Length, destination.Length - read);
            rest[..bytes].CopyTo(destination[read..]);
            read += bytes;
            offset += bytes;
        }

        return read;
    }

    public void Dispose()
    {
        Return(ref _packed);
        Return(ref _block);
        Return(ref _before);
        _blockAt = _beforeAt = -1;
    }

    private bool TryEnter(int block)
    {
        if (block == _blockAt)
        {
            return true;
        }

        (_block, _before) = (_before, _block);
        (_blockAt, _beforeAt) = (_beforeAt, _blockAt);
        if (block == _blockAt)
        {
            return true;
        }

        _blockAt = -1;
        Rent(ref _block);
        if (!TryUnpack(block))
        {
            IsDamaged = true;
            return false;
        }

        _blockAt = block;
        return true;
    }

    private bool TryUnpack(int block)
    {
        PackedBlock entry = PackedBlock.Read(_table.AsSpan(block * PackedSegmentFormat.EntryBytes));
        Span<byte> content = _block.AsSpan(0, _format.BytesOf(block));
        if (
            entry.Bytes <= 0
            || entry.Bytes > content.Length
            || entry.Offset < PackedSegmentFormat.HeaderBytes
            || entry.Offset > _fileBytes - entry.Bytes
        )
        {
            return false;
        }

        if (entry.Bytes == content.Length)
        {
            return ReadFully(_file, content, entry.Offset) && Crc32C.Compute(content) == entry.Checksum;
        }

        Rent(ref _packed);
        if (
            !ReadFully(_file, _packed.AsSpan(0, entry.Bytes), entry.Offset)
            || Crc32C.Compute(_packed.AsSpan(0, entry.Bytes)) != entry.Checksum
        )
        {
            return false;
        }

        using var packed = new MemoryStream(_packed, 0, entry.Bytes, writable: false);
        using var unpacked = new ZLibStream(packed, CompressionMode.Decompress);
        try
        {
            // One byte more than there may be must find the end: that is where zlib's own checksum is looked at.
            return unpacked.ReadAtLeast(content, content.Length, throwOnEndOfStream: false) == content.Length && unpacked.ReadByte() < 0;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private void Rent(ref byte[] buffer)
    {
        if (buffer.Length == 0)
        {
            buffer = ArrayPool<byte>.Shared.Rent(_format.BlockBytes);
        }
    }

    private static void Return(ref byte[] buffer)
    {
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = [];
        }
    }

    private static bool ReadFully(SafeFileHandle file, Span<byte> destination, long offset)
    {
        while (!destination.IsEmpty)
        {
            int read = RandomAccess.Read(file, destination, offset);
            if (read == 0)
            {
                return false;
            }

            destination = destination[read..];
            offset += read;
        }

        return true;
    }
}
