using System.IO.Compression;
using Holdfast.Protocol.Processes;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Protocol.Journal;

/// <summary>What became of a segment that was to be packed, with its bytes before and after.</summary>
public readonly record struct PackedResult(bool IsPacked, long BytesBefore, long BytesAfter);

/// <summary>
/// Packs a segment that nobody writes to any more, in its place. One caller at a time for a journal.
/// 1. The packed file is written under a temporary name and synced. 2. It is read back, and must give the very bytes of the plain one. 3.
/// It takes the plain one's name, and the folder is synced. Whoever dies in between leaves the plain file, or the packed one, and perhaps a
/// temporary file that the next try replaces. Readers that have the plain file open go on with it.
/// </summary>
public static class SegmentPacker
{
    public const string TemporarySuffix = ".tmp";

    /// <summary>A file of a few blocks of the disk gains nothing.</summary>
    private const long BytesMin = 16 * 1024;

    /// <summary>What does not become a tenth smaller is not worth its unpacking; so much of it is tried before it is given up.</summary>
    private const double WorthwhileShare = 0.9;
    private const int TrialBlocks = 16;

    public static PackedResult Pack(string directory, long basePosition, CancellationToken cancellationToken)
    {
        string path = JournalFormat.SegmentPath(directory, basePosition);
        using SegmentFile plain = SegmentFile.Open(directory, basePosition);
        long length = plain.Length;
        if (plain.IsPacked || length < BytesMin || !IsWhole(plain, basePosition))
        {
            return new PackedResult(false, length, length);
        }

        string temporary = path + TemporarySuffix;
        File.Delete(temporary); // And created anew: a link of that name would be written through.
        try
        {
            long packedBytes;
            using (SafeFileHandle file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.ReadWrite))
            {
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
                packedBytes = Write(plain, length, file, basePosition, cancellationToken);
                if (packedBytes == 0)
                {
                    File.Delete(temporary);
                    return new PackedResult(false, length, length);
                }

                // When the last output came is read from here, of terminals for one.
                File.SetLastWriteTimeUtc(file, File.GetLastWriteTimeUtc(path));
                RandomAccess.FlushToDisk(file);
                Verify(plain, length, file, path, basePosition, cancellationToken);
            }

            CrashPoints.Reach(CrashPoint.ServerSegmentPacked);
            if (Libc.Rename(temporary, path) != 0)
            {
                throw Libc.Failure("rename", path);
            }

            CrashPoints.Reach(CrashPoint.ServerSegmentReplaced);
            DurableFile.SyncDirectory(directory);
            return new PackedResult(true, length, packedBytes);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>What has no header of ours is evidence of something, and stays as it is.</summary>
    private static bool IsWhole(SegmentFile plain, long basePosition)
    {
        Span<byte> header = stackalloc byte[SegmentHeader.BytesMax];
        Span<long> starts = stackalloc long[JournalFormat.ChannelCount];
        return SegmentHeader.Read(header[..plain.Read(header, 0)], basePosition, starts) > 0;
    }

    /// <summary>The bytes of the packed file; 0 when it is not worth it.</summary>
    private static long Write(SegmentFile plain, long length, SafeFileHandle file, long basePosition, CancellationToken cancellationToken)
    {
        int count = checked((int)((length - 1) / PackedSegmentFormat.DefaultBlockBytes + 1));
        byte[] table = new byte[count * PackedSegmentFormat.EntryBytes];
        byte[] block = new byte[PackedSegmentFormat.DefaultBlockBytes];
        using var packed = new MemoryStream(block.Length);
        var format = new PackedSegmentFormat(length, block.Length, count, 0);
        long end = PackedSegmentFormat.HeaderBytes + table.Length;
        for (int i = 0; i < count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long done = (long)i * block.Length;
            if (i >= TrialBlocks && end > done * WorthwhileShare)
            {
                return 0;
            }

            Span<byte> content = block.AsSpan(0, format.BytesOf(i));
            ReadFully(plain, content, done);
            packed.SetLength(0);
            using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            {
                zlib.Write(content);
            }

            ReadOnlySpan<byte> stored = packed.Length < content.Length ? packed.GetBuffer().AsSpan(0, (int)packed.Length) : content;
            RandomAccess.Write(file, stored, end);
            new PackedBlock(end, stored.Length, Crc32C.Compute(stored)).Write(table.AsSpan(i * PackedSegmentFormat.EntryBytes));
            end += stored.Length;
        }

        if (end > length * WorthwhileShare)
        {
            return 0;
        }

        Span<byte> header = stackalloc byte[PackedSegmentFormat.HeaderBytes];
        (format with { TableChecksum = Crc32C.Compute(table) }).Write(header, basePosition);
        RandomAccess.Write(file, table, PackedSegmentFormat.HeaderBytes);
        RandomAccess.Write(file, header, 0);
        return end;
    }

    private static void Verify(
        SegmentFile plain,
        long length,
        SafeFileHandle file,
        string path,
        long basePosition,
        CancellationToken cancellationToken
    )
    {
        byte[] header = new byte[PackedSegmentFormat.HeaderBytes];
        _ = RandomAccess.Read(file, header, 0);
        using PackedSegment? packed = PackedSegment.Open(file, header, basePosition);
        byte[] before = new byte[PackedSegmentFormat.DefaultBlockBytes];
        byte[] after = new byte[PackedSegmentFormat.DefaultBlockBytes];
        for (long offset = 0; offset < length; offset += before.Length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int bytes = (int)Math.Min(before.Length, length - offset);
            ReadFully(plain, before.AsSpan(0, bytes), offset);
            if (packed?.Read(after.AsSpan(0, bytes), offset) != bytes || !before.AsSpan(0, bytes).SequenceEqual(after.AsSpan(0, bytes)))
            {
                throw new IOException($"{path} was packed, and is not read back as it was; it stays as it is.");
            }
        }

        if (plain.Length != length || packed?.Length != length)
        {
            throw new IOException($"{path} grew while it was packed; it stays as it is.");
        }
    }

    private static void ReadFully(SegmentFile file, Span<byte> destination, long offset)
    {
        while (!destination.IsEmpty)
        {
            int read = file.Read(destination, offset);
            if (read == 0)
            {
                throw new IOException("The segment became shorter while it was packed; it stays as it is.");
            }

            destination = destination[read..];
            offset += read;
        }
    }
}
