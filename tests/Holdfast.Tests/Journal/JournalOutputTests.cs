using Holdfast.Protocol.Journal;

namespace Holdfast.Tests.Journal;

public sealed class JournalOutputTests : IDisposable
{
    private const int SegmentBytes = 3_500_000;

    private readonly TemporaryJournal _journal = new();
    private readonly MemoryStream _stdout = new();
    private readonly MemoryStream _stderr = new();
    private readonly MemoryStream _all = new();

    public void Dispose() => _journal.Dispose();

    public static TheoryData<OutputStream> Streams => [.. Enum.GetValues<OutputStream>()];

    [Theory]
    [MemberData(nameof(Streams))]
    public void Every_stream_can_be_read_from_every_offset(OutputStream stream)
    {
        WriteOutput(total: 9_000_000);
        byte[] expected = Expected(stream);
        var random = new Random(5);
        byte[] read = new byte[70_000];
        for (int i = 0; i < 150; i++)
        {
            int offset = i switch
            {
                0 => 0,
                1 => expected.Length,
                2 => expected.Length - 1,
                _ => random.Next(expected.Length),
            };
            using JournalOutput output = JournalOutput.Open(_journal.Path, stream, offset);
            int length = output.Read(read);
            Assert.Equal(Math.Min(read.Length, expected.Length - offset), length);
            Assert.True(expected.AsSpan(offset, length).SequenceEqual(read.AsSpan(0, length)), $"{stream} from {offset}");
            Assert.Equal(offset + length, output.Offset);
        }
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void Small_reads_and_runs_give_the_same_bytes(OutputStream stream)
    {
        WriteOutput(total: 200_000);
        byte[] expected = Expected(stream);
        var read = new MemoryStream();
        byte[] few = new byte[1000];
        using JournalOutput output = JournalOutput.Open(_journal.Path, stream);
        for (bool isRun = false; ; isRun = !isRun)
        {
            ReadOnlyMemory<byte> run = default;
            if (isRun ? !output.TryRead(out run) : output.Read(few) is var length && (run = few.AsMemory(0, length)).IsEmpty)
            {
                break;
            }

            read.Write(run.Span);
            Assert.Equal(read.Length, output.Offset);
        }

        Assert.Equal(expected, read.ToArray());
    }

    [Fact]
    public void Output_is_followed_while_it_grows_also_from_an_offset_not_reached_yet()
    {
        using JournalOutput all = JournalOutput.Open(_journal.Path, OutputStream.All);
        using JournalOutput later = JournalOutput.Open(_journal.Path, OutputStream.Stderr, 5);
        byte[] read = new byte[100];
        Assert.Equal(0, all.Read(read));

        using JournalWriter writer = _journal.OpenWriter(segmentBytes: 120);
        writer.Append(JournalChannel.Stdout, "out"u8, 1);
        writer.Append(JournalChannel.Stderr, "error"u8, 2);
        Assert.Equal("outerror"u8, read.AsSpan(0, all.Read(read)));
        Assert.Equal(0, later.Read(read));

        writer.Append(JournalChannel.Stderr, "more"u8, 3);
        writer.Append(JournalChannel.Event, """{"a":{"event":"exit"},"event":"exit","exitCode":0}"""u8, 4);
        Assert.Equal("more"u8, read.AsSpan(0, later.Read(read)));
        Assert.Equal("more"u8, read.AsSpan(0, all.Read(read)));
        Assert.True(all.HasExited);
        Assert.Equal(new OutputLengths(3, 9, writer.Position, JournalEnd.Clean, HasExited: true), JournalOutput.Measure(_journal.Path));
    }

    [Fact]
    public void Lengths_of_a_journal_that_is_not_there_are_zero() =>
        Assert.Equal(new OutputLengths(0, 0, 0, JournalEnd.Clean, HasExited: false), JournalOutput.Measure(_journal.Path));

    /// <summary>
    /// Goal: an index can make reading slow, never wrong. Method: damage it at every byte, then replace it by another segment's and by an
    /// old one.
    /// </summary>
    [Fact]
    public void A_missing_wrong_or_stale_index_changes_nothing_and_is_written_again()
    {
        WriteOutput(total: 6_000_000);
        byte[] expected = Expected(OutputStream.All);
        long[] bases = JournalFormat.ListSegments(_journal.Path);
        string closed = JournalFormat.IndexPath(_journal.Path, bases[0]);
        string live = JournalFormat.IndexPath(_journal.Path, bases[1]);
        byte[] closedIndex = File.ReadAllBytes(closed);
        byte[] liveIndex = File.ReadAllBytes(live);
        Assert.Equal(16 + 3 * 40, closedIndex.Length);

        int[] offsets = [1_100_000, 2_500_000, 3_300_000, expected.Length - 100];
        for (int at = 0; at < closedIndex.Length; at++)
        {
            File.WriteAllBytes(closed, [.. closedIndex[..at], (byte)(closedIndex[at] ^ 1), .. closedIndex[(at + 1)..]]);
            CheckFrom(offsets[at % offsets.Length], expected);
        }

        File.Delete(closed);
        CheckFrom(offsets[1], expected);
        Assert.Equal(closedIndex, File.ReadAllBytes(closed));

        File.WriteAllBytes(live, closedIndex);
        CheckFrom(offsets[3], expected);
        File.WriteAllBytes(closed, []);
        CheckFrom(offsets[1], expected);
        Assert.Equal(closedIndex, File.ReadAllBytes(closed));

        // An entry that is whole in itself, but whose record is another one now.
        Assert.True(SegmentIndexFormat.TryReadEntry(closedIndex.AsSpan(16 + 40), bases[0], out SegmentIndexEntry entry));
        byte[] lying = [.. closedIndex];
        SegmentIndexFormat.WriteEntry(
            lying.AsSpan(16 + 40),
            bases[0],
            new SegmentIndexEntry(entry.Position, 0, entry.Stdout - 50_000, entry.Stderr, entry.RecordChecksum ^ 1)
        );
        foreach (int offset in offsets)
        {
            File.WriteAllBytes(closed, lying);
            CheckFrom(offset, expected);
        }

        // The same at an event, whose own offset says nothing about the output before it.
        ReadRecord heartbeat = _journal.ReadAll().First(r => r.Channel == JournalChannel.Event && r.Position > entry.Position);
        SegmentIndexFormat.WriteEntry(
            lying.AsSpan(16 + 40),
            bases[0],
            new SegmentIndexEntry(heartbeat.Position, 0, entry.Stdout, entry.Stderr, entry.RecordChecksum)
        );
        foreach (int offset in offsets)
        {
            File.WriteAllBytes(closed, lying);
            CheckFrom(offset, expected);
        }

        Assert.True(SegmentIndexFormat.TryReadEntry(liveIndex.AsSpan(16), bases[1], out entry));
        SegmentIndexFormat.WriteEntry(
            liveIndex.AsSpan(16),
            bases[1],
            new SegmentIndexEntry(entry.Position + 1, 0, entry.Stdout, entry.Stderr, entry.RecordChecksum)
        );
        File.WriteAllBytes(live, liveIndex);
        CheckFrom(expected.Length - 100, expected);
    }

    [Fact]
    public void A_writer_that_opens_a_journal_again_writes_its_index_again()
    {
        WriteOutput(total: 3_000_000);
        string path = JournalFormat.IndexPath(_journal.Path, 0);
        byte[] index = File.ReadAllBytes(path);
        File.WriteAllBytes(path, new byte[1000]);
        _journal.OpenWriter().Dispose();
        Assert.Equal(index, File.ReadAllBytes(path));

        // Cut below its first entry, it has nothing to say any more.
        using (var segment = new FileStream(_journal.Segment(0), FileMode.Open))
        {
            segment.SetLength(500_000);
        }

        _journal.OpenWriter().Dispose();
        Assert.False(File.Exists(path));
    }

    /// <summary>A drop of stderr in a sea of stdout is found by way of the index: the sea is not read.</summary>
    [Fact]
    public void The_other_stream_is_stepped_over_without_reading_it()
    {
        using (JournalWriter writer = _journal.OpenWriter(segmentBytes: 8 << 20))
        {
            byte[] sea = new byte[64 * 1024];
            writer.Append(JournalChannel.Stderr, "first "u8, 0);
            for (int i = 0; i < 640; i++)
            {
                writer.Append(JournalChannel.Stdout, sea, i);
            }

            writer.Append(JournalChannel.Stderr, "second"u8, 0);
        }

        // In the middle of the sea all is damaged: whoever reads there is stopped.
        string[] segments = _journal.Segments();
        Assert.Equal(6, segments.Length);
        File.WriteAllBytes(segments[2], [.. File.ReadAllBytes(segments[2])[..100], .. new byte[(8 << 20) - 1000]]);

        byte[] read = new byte[100];
        using JournalOutput output = JournalOutput.Open(_journal.Path, OutputStream.Stderr);
        Assert.Equal("first second"u8, read.AsSpan(0, output.Read(read)));
    }

    [Fact]
    public void A_closed_segment_that_is_damaged_stops_the_output_just_there()
    {
        WriteOutput(total: 6_000_000);
        string first = _journal.Segments()[0];
        byte[] bytes = File.ReadAllBytes(first);
        bytes[2_000_000] ^= 1;
        File.WriteAllBytes(first, bytes);
        byte[] expected = Expected(OutputStream.Stdout);
        byte[] read = new byte[expected.Length];
        using JournalOutput output = JournalOutput.Open(_journal.Path, OutputStream.Stdout);
        int length = output.Read(read);
        Assert.InRange(length, 1_000_000, 2_000_000);
        Assert.Equal(expected[..length], read[..length]);
        Assert.Equal(JournalEnd.Damaged, output.End);
        Assert.Equal(0, output.Read(read));
    }

    /// <summary>256 MiB in, 256 MiB out: neither side may keep or allocate more than a few buffers for it.</summary>
    [Fact]
    public void A_large_stream_takes_no_more_memory_than_a_record()
    {
        const int Reads = 1024;
        byte[] piece = new byte[256 * 1024];
        new Random(4).NextBytes(piece);
        long before = GC.GetAllocatedBytesForCurrentThread();
        using (JournalWriter writer = _journal.OpenWriter())
        {
            for (int i = 0; i < Reads; i++)
            {
                piece[0] = (byte)i;
                writer.Append(JournalChannel.Stdout, piece, i);
            }
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
        before = GC.GetAllocatedBytesForCurrentThread();
        using (JournalOutput output = JournalOutput.Open(_journal.Path, OutputStream.All))
        {
            int right = 0;
            while (output.TryRead(out ReadOnlyMemory<byte> run))
            {
                right += run.Length == piece.Length && run.Span[0] == (byte)right ? 1 : 0;
            }

            Assert.Equal(Reads, right);
            Assert.Equal((long)Reads * piece.Length, output.Offset);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 600_000);
    }

    private void CheckFrom(int offset, byte[] expected)
    {
        byte[] read = new byte[200_000];
        using JournalOutput output = JournalOutput.Open(_journal.Path, OutputStream.All, offset);
        int length = output.Read(read);
        Assert.Equal(Math.Min(read.Length, expected.Length - offset), length);
        Assert.True(expected.AsSpan(offset, length).SequenceEqual(read.AsSpan(0, length)));
    }

    private byte[] Expected(OutputStream stream) =>
        (
            stream switch
            {
                OutputStream.Stdout => _stdout,
                OutputStream.Stderr => _stderr,
                _ => _all,
            }
        ).ToArray();

    /// <summary>Both streams in pieces of up to 40 KB, stderr the rarer, with events and long silences of one stream between.</summary>
    private void WriteOutput(int total)
    {
        var random = new Random(total);
        using JournalWriter writer = _journal.OpenWriter(SegmentBytes);
        writer.Append(JournalChannel.Event, """{"event":"start"}"""u8, 0);
        while (_all.Length < total)
        {
            byte[] piece = new byte[random.Next(1, 40_000)];
            random.NextBytes(piece);
            bool isStderr = random.Next(4) == 0 && _all.Length % 2_000_000 > 1_000_000;
            writer.Append(isStderr ? JournalChannel.Stderr : JournalChannel.Stdout, piece, _all.Length);
            (isStderr ? _stderr : _stdout).Write(piece);
            _all.Write(piece);
            if (random.Next(20) == 0)
            {
                writer.Append(JournalChannel.Event, """{"event":"heartbeat"}"""u8, 0);
            }
        }
    }
}
