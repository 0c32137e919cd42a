using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Holdfast.Protocol.Journal;

namespace Holdfast.Tests.Journal;

public sealed class JournalWriterTests : IDisposable
{
    private readonly TemporaryJournal _journal = new();

    public void Dispose() => _journal.Dispose();

    [Fact]
    public void What_is_appended_is_read_back_in_order_with_its_time_channel_and_offset()
    {
        using JournalWriter writer = _journal.OpenWriter();
        writer.Append(JournalChannel.Stdout, "one"u8, 10);
        writer.Append(JournalChannel.Stderr, "two!"u8, 20);
        writer.Append(JournalChannel.Stdout, "three"u8, 30);

        List<ReadRecord> records = _journal.ReadAll();
        Assert.Equal(
            [(JournalChannel.Stdout, 10L, 0L, "one"), (JournalChannel.Stderr, 20L, 0L, "two!"), (JournalChannel.Stdout, 30L, 3L, "three")],
            records.Select(r => (r.Channel, r.UnixNanoseconds, r.StreamOffset, Encoding.UTF8.GetString(Convert.FromHexString(r.Payload))))
        );
        Assert.Equal(records[0].NextPosition, records[1].Position);
        Assert.Equal(writer.Position, records[^1].NextPosition);
        Assert.Equal(8, writer.StreamLength(JournalChannel.Stdout));
    }

    /// <summary>Any appends, with any sizes of pieces and segments and any reopening between them, come back as the same streams.</summary>
    [Fact]
    public void Any_sequence_of_appends_and_reopenings_is_read_back_whole()
    {
        Gen<(int Channel, int Length, bool Reopen)[]> appends = Gen.ArrayOf(
            from channel in Gen.Elements(0, 1, 2, 16, 255)
            from length in Gen.Choose(1, 400)
            from reopen in Gen.Frequency((9, Gen.Constant(false)), (1, Gen.Constant(true)))
            select (channel, length, reopen)
        );
        var cases =
            from payloadBytes in Gen.Choose(5, 120)
            from segmentBytes in Gen.Choose(100, 4000)
            from sequence in appends
            select (payloadBytes, segmentBytes, sequence);

        Prop.ForAll(Arb.From(cases), test => RoundTrips(test.payloadBytes, test.segmentBytes, test.sequence))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(60).WithReplay(20261121, 7));
    }

    [Fact]
    public void A_large_payload_is_split_and_marked()
    {
        byte[] payload = Bytes(JournalFormat.PayloadBytesMax * 2 + 1);
        using JournalWriter writer = _journal.OpenWriter();
        writer.Append(JournalChannel.IoPub, payload, 5);
        writer.Append(JournalChannel.IoPub, "next"u8, 6);

        List<ReadRecord> records = _journal.ReadAll();
        Assert.Equal(
            [JournalFlags.Continues, JournalFlags.Continues | JournalFlags.Continued, JournalFlags.Continued, JournalFlags.None],
            records.Select(r => r.Flags)
        );
        Assert.Equal(Convert.ToHexString(payload), string.Concat(records.Take(3).Select(r => r.Payload)));
    }

    [Fact]
    public unsafe void Parts_in_native_memory_are_gathered_in_order_whatever_their_number()
    {
        byte[] bytes = Bytes(5000);
        using JournalWriter writer = _journal.OpenWriter(payloadBytes: 1700);
        fixed (byte* start = bytes)
        {
            // More parts than one gathered write takes, some of them empty, cut across the pieces.
            var parts = new List<(int Start, int Length)>();
            for (int at = 0; at < bytes.Length; )
            {
                int length = Math.Min(parts.Count % 7, bytes.Length - at);
                parts.Add((at, length));
                at += length;
            }

            byte* first = start;
            var native = new NativePart[parts.Count + 1];
            for (int i = 0; i < parts.Count; i++)
            {
                native[i] = new NativePart(first + parts[i].Start, parts[i].Length);
            }

            Assert.True(native.Length > 1000);
            writer.Append(JournalChannel.Shell, native, 1);
        }

        List<ReadRecord> records = _journal.ReadAll();
        Assert.Equal([1700, 1700, 1600], records.Select(r => r.Payload.Length / 2));
        Assert.Equal(Convert.ToHexString(bytes), string.Concat(records.Select(r => r.Payload)));
    }

    [Fact]
    public void A_segment_is_named_by_its_position_and_says_where_its_streams_stand()
    {
        using JournalWriter writer = _journal.OpenWriter(segmentBytes: 200);
        for (int i = 0; i < 10; i++)
        {
            writer.Append(i % 2 == 0 ? JournalChannel.Stdout : JournalChannel.Stderr, Bytes(60), i);
        }

        List<ReadRecord> records = _journal.ReadAll();
        Assert.Equal(10, records.Count);
        string[] segments = _journal.Segments();
        Assert.True(segments.Length > 3);
        Assert.EndsWith("/00000000000000000000.hfj", segments[0], StringComparison.Ordinal);
        long position = 0;
        Span<long> starts = stackalloc long[256];
        foreach (string segment in segments)
        {
            byte[] bytes = File.ReadAllBytes(segment);
            Assert.True(bytes.Length <= 200);
            Assert.Equal(position.ToString("D20", null) + ".hfj", Path.GetFileName(segment));
            Assert.NotEqual(0, SegmentHeader.Read(bytes, position, starts));
            ReadRecord next = records.First(r => r.Position >= position);
            Assert.Equal(next.StreamOffset, starts[(int)next.Channel]);
            position += bytes.Length;
        }

        Assert.Equal(writer.Position, position);
    }

    [Fact]
    public void A_payload_too_large_for_any_segment_gets_one_of_its_own()
    {
        using JournalWriter writer = _journal.OpenWriter(segmentBytes: 50);
        writer.Append(JournalChannel.Stdout, Bytes(500), 1);
        writer.Append(JournalChannel.Stdout, Bytes(500), 2);
        Assert.Equal(2, _journal.Segments().Length);
        Assert.Equal(2, _journal.ReadAll().Count);
    }

    [Fact]
    public void An_empty_payload_is_refused()
    {
        using JournalWriter writer = _journal.OpenWriter();
        Assert.Throws<ArgumentException>(() => writer.Append(JournalChannel.Stdout, ReadOnlySpan<byte>.Empty, 1));
        Assert.Empty(_journal.ReadAll());
    }

    [Fact]
    public void Opened_again_it_goes_on_where_it_ended()
    {
        long position;
        using (JournalWriter writer = _journal.OpenWriter())
        {
            Assert.True(writer.HasUnsynced);
            writer.Append(JournalChannel.Stdout, "first"u8, 1);
            writer.Sync();
            Assert.False(writer.HasUnsynced);
            position = writer.Position;
        }

        using (JournalWriter writer = _journal.OpenWriter())
        {
            Assert.Equal(position, writer.Position);
            Assert.Equal(0, writer.BytesCut);
            Assert.Equal(5, writer.StreamLength(JournalChannel.Stdout));

            // What a dead writer left whole in the page cache may never have been synced.
            Assert.True(writer.HasUnsynced);
            writer.Append(JournalChannel.Stdout, "second"u8, 2);
        }

        Assert.Equal([0L, 5L], _journal.ReadAll().Select(r => r.StreamOffset));
    }

    [Fact]
    public void A_segment_whose_header_never_reached_the_disk_is_begun_again()
    {
        long end;
        using (JournalWriter writer = _journal.OpenWriter())
        {
            writer.Append(JournalChannel.Stderr, "kept"u8, 1);
            end = writer.Position;
        }

        foreach (byte[] rest in new[] { [], new byte[17], new byte[4096] })
        {
            File.WriteAllBytes(_journal.Segment(end), rest);
            using JournalWriter writer = _journal.OpenWriter();
            Assert.Equal(rest.Length, writer.BytesCut);
            Assert.Equal(4, writer.StreamLength(JournalChannel.Stderr));
        }

        using (JournalWriter writer = _journal.OpenWriter())
        {
            writer.Append(JournalChannel.Stderr, "more"u8, 2);
        }

        Assert.Equal([(0L, "6B657074"), (4L, "6D6F7265")], _journal.ReadAll().Select(r => (r.StreamOffset, r.Payload)));
    }

    [Fact]
    public void A_payload_that_its_writer_never_finished_is_not_joined_to_the_next()
    {
        using (JournalWriter writer = _journal.OpenWriter(payloadBytes: 10))
        {
            writer.Append(JournalChannel.IoPub, Bytes(25), 1);
        }

        // Died between the second and the third piece.
        long second = _journal.ReadAll()[1].NextPosition;
        using (var file = new FileStream(_journal.Segment(0), FileMode.Open))
        {
            file.SetLength(second);
        }

        using (JournalWriter writer = _journal.OpenWriter())
        {
            writer.Append(JournalChannel.IoPub, "whole"u8, 2);
        }

        Assert.Equal(
            [JournalFlags.Continues, JournalFlags.Continues | JournalFlags.Continued, JournalFlags.None],
            _journal.ReadAll().Select(r => r.Flags)
        );
    }

    [Fact]
    public void A_journal_of_a_newer_format_is_refused_and_left_as_it_is()
    {
        _journal.OpenWriter().Dispose();
        byte[] header = File.ReadAllBytes(_journal.Segment(0));
        header[8] = 2;
        uint checksum = Crc32C.Finish(Crc32C.Append(Crc32C.Append(Crc32C.Start, header.AsSpan(0, 12)), header.AsSpan(16)));
        BitConverter.TryWriteBytes(header.AsSpan(12), checksum);
        File.WriteAllBytes(_journal.Segment(0), header);

        Assert.Equal(2, Assert.Throws<JournalVersionException>(() => _journal.OpenWriter()).Version);
        Assert.Throws<JournalVersionException>(() => _journal.ReadAll());
        Assert.Equal(header, File.ReadAllBytes(_journal.Segment(0)));
    }

    private static byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static bool RoundTrips(int payloadBytes, int segmentBytes, (int Channel, int Length, bool Reopen)[] sequence)
    {
        using var journal = new TemporaryJournal();
        var streams = new Dictionary<JournalChannel, MemoryStream>();
        JournalWriter writer = journal.OpenWriter(segmentBytes, payloadBytes);
        for (int i = 0; i < sequence.Length; i++)
        {
            byte[] payload = Bytes(sequence[i].Length);
            var channel = (JournalChannel)sequence[i].Channel;
            if (sequence[i].Reopen)
            {
                writer.Dispose();
                writer = journal.OpenWriter(segmentBytes, payloadBytes);
                Assert.Equal(0, writer.BytesCut);
            }

            writer.Append(channel, payload, i);
            streams.TryAdd(channel, new MemoryStream());
            streams[channel].Write(payload);
        }

        List<ReadRecord> records = journal.ReadAll();
        Assert.Equal(sequence.Length == 0 ? 32 : records[^1].NextPosition, writer.Position);
        writer.Dispose();
        Assert.Equal(sequence.Length, records.Count(r => (r.Flags & JournalFlags.Continues) == 0));
        foreach ((JournalChannel channel, MemoryStream stream) in streams)
        {
            Assert.Equal(
                Convert.ToHexString(stream.ToArray()),
                string.Concat(records.Where(r => r.Channel == channel).Select(r => r.Payload))
            );
        }

        // Any record's position is a place to start from, and gives the same rest.
        foreach (int i in Enumerable.Range(0, records.Count).Where(i => i % 5 == 0))
        {
            Assert.Equal(records[i..], journal.ReadAll(records[i].Position));
        }

        return true;
    }
}
