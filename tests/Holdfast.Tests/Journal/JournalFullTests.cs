using System.Runtime.InteropServices;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Processes;

namespace Holdfast.Tests.Journal;

/// <summary>
/// A disk that fills up at every possible byte, by a write that stands in for pwritev; and once for real, where a small disk can be
/// mounted.
/// </summary>
public sealed partial class JournalFullTests : IDisposable
{
    private const int Payloads = 12;

    private readonly TemporaryJournal _journal = new();

    public void Dispose() => _journal.Dispose();

    [Fact]
    public void At_whatever_byte_the_disk_fills_the_rest_is_appended_later_without_loss_or_doubling()
    {
        string[] expected = [.. Enumerable.Range(0, Payloads).Select(i => Convert.ToHexString(Payload(i)))];
        long whole = 0;
        for (int room = 0; room == 0 || room <= whole; room++)
        {
            string directory = Path.Join(_journal.Path, room.ToString("D5", null));
            Directory.CreateDirectory(_journal.Path);
            var disk = new SmallDisk(room);
            using (JournalWriter writer = OpenWhenThereIsRoom(directory, disk))
            {
                for (int i = 0; i < Payloads; i++)
                {
                    AppendWhole(writer, disk, Payload(i), i, directory);
                }

                whole = writer.Position;
            }

            Assert.Equal(room < whole ? 1 : 0, disk.TimesFull);
            using JournalReader reader = JournalReader.Open(directory);
            var joiner = new PayloadJoiner(1000);
            var payloads = new List<string>();
            while (reader.TryRead(out JournalRecord record))
            {
                if (joiner.Join(record, out ReadOnlyMemory<byte> payload) == PayloadState.Whole)
                {
                    payloads.Add(Convert.ToHexString(payload.Span));
                }
            }

            Assert.Equal(JournalEnd.Clean, reader.End);
            Assert.Equal(expected, payloads);
        }

        Assert.True(whole > 500, "the loop must have come past several segments");
    }

    [Fact]
    public unsafe void A_disk_that_fills_up_in_the_middle_of_a_large_record_keeps_nothing_of_it()
    {
        byte[] payload = new byte[100_000];
        new Random(3).NextBytes(payload);
        foreach (int room in new[] { 33, 1_000, 32_768, 32_769, 65_536, 99_999 })
        {
            string directory = Path.Join(_journal.Path, room.ToString(null, null));
            Directory.CreateDirectory(_journal.Path);
            var disk = new SmallDisk(long.MaxValue);
            using JournalWriter writer = JournalWriter.Open(directory, JournalOptions.Default, disk.Write);
            writer.Append(JournalChannel.Stdout, "before"u8, 1);
            long before = writer.Position;
            disk.Room = room;
            Assert.Equal(
                0,
                Assert.Throws<JournalFullException>(() => writer.Append(JournalChannel.Stdout, payload, 2)).PayloadBytesWritten
            );
            Assert.Equal(before, writer.Position);
            Assert.Equal(before, new FileInfo(JournalFormat.SegmentPath(directory, 0)).Length);
            disk.Room = long.MaxValue;
            writer.Append(JournalChannel.Stdout, payload, 3);
            using JournalReader reader = JournalReader.Open(directory);
            Assert.Equal(
                [Convert.ToHexString("before"u8), Convert.ToHexString(payload)],
                TemporaryJournal.ReadRest(reader).Select(record => record.Payload)
            );
        }
    }

    /// <summary>Longer ones are given memory that the system does not have at hand: see SegmentWriter.</summary>
    [Fact]
    public unsafe void A_large_record_is_handed_over_in_runs_of_32_KiB_and_a_small_one_at_once()
    {
        var writes = new List<(long Offset, long Length)>();
        nint Write(int fd, IoVector* vectors, int count, long offset)
        {
            nint written = Libc.PWriteV(fd, vectors, count, offset);
            writes.Add((offset, written));
            return written;
        }

        using JournalWriter writer = JournalWriter.Open(_journal.Path, JournalOptions.Default, Write);
        writes.Clear();
        writer.Append(JournalChannel.Stdout, new byte[20_000], 1);
        writer.Append(JournalChannel.Stdout, new byte[20_000], 2);
        Assert.Equal(2, writes.Count);
        writer.Append(JournalChannel.Stdout, new byte[JournalFormat.PayloadBytesMax], 3);
        Assert.All(writes, write => Assert.InRange(write.Length, 1, 32 * 1024));
        Assert.All(writes[2..^1], write => Assert.Equal(0, (write.Offset + write.Length) % (32 * 1024)));
        Assert.Equal(writer.Position, writes[^1].Offset + writes[^1].Length);
    }

    [Fact]
    public void A_failed_write_that_is_not_a_full_disk_says_so_and_leaves_whole_records()
    {
        var disk = new SmallDisk(100) { Errno = Libc.Eio };
        using JournalWriter writer = OpenOn(_journal.Path, disk);
        JournalWriteException failure = Assert.Throws<JournalWriteException>(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                writer.Append(JournalChannel.Stdout, Payload(3), 0);
            }
        });
        Assert.Equal(Libc.Eio, failure.Errno);
        Assert.Equal(writer.Position, new FileInfo(_journal.Segment(0)).Length);
    }

    /// <summary>
    /// Goal: a segment whose successor was begun stays closed. Method: no room for the successor's header, then a record that would still
    /// fit.
    /// </summary>
    [Fact]
    public unsafe void After_a_roll_that_found_no_room_nothing_goes_into_the_old_segment()
    {
        var disk = new SmallDisk(long.MaxValue);
        using JournalWriter writer = JournalWriter.Open(_journal.Path, new JournalOptions { SegmentBytes = 200 }, disk.Write);
        writer.Append(JournalChannel.Stdout, new byte[100], 1);
        long end = writer.Position;
        disk.Room = 10;
        Assert.Throws<JournalFullException>(() => writer.Append(JournalChannel.Stdout, new byte[100], 2));
        Assert.Equal(end, writer.Position);

        disk.Room = long.MaxValue;
        writer.Append(JournalChannel.Stdout, [1], 3);
        Assert.Equal(end, new FileInfo(_journal.Segment(0)).Length);
        Assert.Equal([100, 1], _journal.ReadAll().Select(r => r.Payload.Length / 2));
    }

    /// <summary>The real thing: a tmpfs of 256 KiB, with the system's own short writes. Needs the right to mount.</summary>
    [Fact]
    public void A_full_file_system_takes_the_rest_when_room_was_made()
    {
        string disk = Path.Join(_journal.Path, "disk");
        Directory.CreateDirectory(disk);
        Assert.SkipWhen(Mount("tmpfs", disk, "tmpfs", 0, "size=256k") != 0, "mounting a small disk needs privileges");
        try
        {
            string ballast = Path.Join(disk, "ballast");
            File.WriteAllBytes(ballast, new byte[100 * 1024]);
            byte[] payload = new byte[300 * 1000];
            new Random(3).NextBytes(payload);
            string directory = Path.Join(disk, "journal");
            using (JournalWriter writer = JournalWriter.Open(directory, new JournalOptions { PayloadBytes = 10_000 }))
            {
                int accepted = 0;
                JournalFullException full = Assert.Throws<JournalFullException>(() => writer.Append(JournalChannel.Stdout, payload, 1));
                Assert.True(full.PayloadBytesWritten is >= 100_000 and < 200_000, $"{full.PayloadBytesWritten}");
                accepted += (int)full.PayloadBytesWritten;
                Assert.Equal(accepted, writer.StreamLength(JournalChannel.Stdout));
                full = Assert.Throws<JournalFullException>(() => writer.Append(JournalChannel.Stdout, payload.AsSpan(accepted), 1));
                Assert.Equal(0, full.PayloadBytesWritten);

                File.Delete(ballast);
                full = Assert.Throws<JournalFullException>(() => writer.Append(JournalChannel.Stdout, payload.AsSpan(accepted), 1));
                Assert.True(full.PayloadBytesWritten > 0);
                accepted += (int)full.PayloadBytesWritten;
                payload = payload[..accepted];
                writer.Sync();
            }

            using JournalOutput output = JournalOutput.Open(directory, OutputStream.Stdout);
            byte[] read = new byte[400 * 1000];
            Assert.Equal(payload, read[..output.Read(read)]);
            Assert.Equal(JournalEnd.Clean, output.End);
        }
        finally
        {
            Assert.Equal(0, Unmount(disk, 0));
        }
    }

    private static byte[] Payload(int i)
    {
        byte[] payload = new byte[i * 37 % 61 + 1];
        new Random(i).NextBytes(payload);
        return payload;
    }

    private static void AppendWhole(JournalWriter writer, SmallDisk disk, byte[] payload, int i, string directory)
    {
        var channel = (JournalChannel)(i % 3);
        long before = writer.StreamLength(channel);
        try
        {
            writer.Append(channel, payload, i);
        }
        catch (JournalFullException full)
        {
            // Whole records and nothing else, for whoever reads meanwhile.
            Assert.Equal(before + full.PayloadBytesWritten, writer.StreamLength(channel));
            using (JournalReader reader = JournalReader.Open(directory))
            {
                TemporaryJournal.ReadRest(reader);
                Assert.Contains(reader.End, new[] { JournalEnd.Clean, JournalEnd.Torn });
                Assert.Equal(writer.Position, reader.Position);
            }

            disk.Room = long.MaxValue;
            writer.Append(channel, payload.AsSpan((int)full.PayloadBytesWritten), i);
        }
    }

    private static JournalWriter OpenWhenThereIsRoom(string directory, SmallDisk disk)
    {
        try
        {
            return OpenOn(directory, disk);
        }
        catch (JournalFullException full)
        {
            Assert.Equal(0, full.PayloadBytesWritten);
            disk.Room = long.MaxValue;
            return OpenOn(directory, disk);
        }
    }

    private static unsafe JournalWriter OpenOn(string directory, SmallDisk disk) =>
        JournalWriter.Open(directory, new JournalOptions { SegmentBytes = 300, PayloadBytes = 20 }, disk.Write);

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mount(string source, string target, string type, nuint flags, string options);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string target, int flags);

    /// <summary>Takes so many bytes in all, the last write short, and then has no room; as Linux does it.</summary>
    private sealed unsafe class SmallDisk(long room)
    {
        public long Room { get; set; } = room;

        public int Errno { get; init; } = Libc.Enospc;

        public int TimesFull { get; private set; }

        public nint Write(int fd, IoVector* vectors, int count, long offset)
        {
            nint written = 0;
            for (int i = 0; i < count && Room > 0; i++)
            {
                var piece = new IoVector { Start = vectors[i].Start, Length = (nuint)Math.Min((long)vectors[i].Length, Room) };
                nint taken = Libc.PWriteV(fd, &piece, 1, offset + written);
                Room -= taken;
                written += taken;
            }

            if (written > 0)
            {
                return written;
            }

            TimesFull++;
            Marshal.SetLastPInvokeError(Errno);
            return -1;
        }
    }
}
