using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Holdfast.Protocol.Journal;

namespace Holdfast.Tests.Journal;

/// <summary>
/// Packed segments: what is read from them is what was read before, from every place; and what is wrong with them is damage, never another
/// text.
/// </summary>
public sealed class PackedSegmentTests : IDisposable
{
    private readonly TemporaryJournal _journal = new();

    public void Dispose() => _journal.Dispose();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>
    /// Goal: packing any of the segments changes nothing for any reader. Method: any records in segments of any size, a random subset
    /// packed, then every record from every position, and every stream from offsets all over it.
    /// </summary>
    [Fact]
    public void Any_journal_reads_identically_from_every_place_with_any_of_its_segments_packed()
    {
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(25),
            Prop.ForAll(
                Gen.Choose(0, int.MaxValue).ToArbitrary(),
                seed =>
                {
                    using var journal = new TemporaryJournal();
                    var random = new Random(seed);
                    Write(journal, random);
                    List<ReadRecord> records = journal.ReadAll();
                    var outputs = Enum.GetValues<OutputStream>().ToDictionary(static s => s, s => ReadOutput(journal, s, 0));
                    OutputLengths lengths = JournalOutput.Measure(journal.Path);
                    long end = JournalFormat.EndOf(journal.Path);

                    int packed = JournalFormat
                        .ListSegments(journal.Path)
                        .Count(s => random.Next(2) == 0 && SegmentPacker.Pack(journal.Path, s, Cancel).IsPacked);

                    Assert.Equal(records, journal.ReadAll());
                    Assert.Equal((lengths, end), (JournalOutput.Measure(journal.Path), JournalFormat.EndOf(journal.Path)));
                    foreach (ReadRecord record in records.Where((_, i) => i % 7 == seed % 7))
                    {
                        Assert.Equal(record, Assert.IsType<ReadRecord>(First(journal, record.Position)));
                    }

                    foreach ((OutputStream stream, byte[] expected) in outputs)
                    {
                        for (int i = 0; i < 8; i++)
                        {
                            int offset = random.Next(expected.Length + 1);
                            Assert.True(
                                expected.AsSpan(offset).SequenceEqual(ReadOutput(journal, stream, offset)),
                                $"{stream} from {offset}, {packed} packed"
                            );
                        }
                    }
                }
            )
        );
    }

    [Fact]
    public void A_reader_that_has_the_plain_file_open_goes_on_and_one_that_comes_later_reads_the_packed()
    {
        WriteLines(_journal, 20_000);
        List<ReadRecord> records = _journal.ReadAll();
        using JournalReader reader = _journal.OpenReader();
        Assert.True(reader.TryRead(out _));
        long before = new FileInfo(_journal.Segments()[0]).Length;
        DateTime written = File.GetLastWriteTimeUtc(_journal.Segments()[0]);

        PackedResult result = SegmentPacker.Pack(_journal.Path, 0, Cancel);

        Assert.Equal((true, before, new FileInfo(_journal.Segments()[0]).Length), (result.IsPacked, result.BytesBefore, result.BytesAfter));
        Assert.True(result.BytesAfter < before / 2);
        Assert.Equal(written, File.GetLastWriteTimeUtc(_journal.Segments()[0]));
        Assert.Equal(records.Skip(1), TemporaryJournal.ReadRest(reader));
        Assert.Equal(records, _journal.ReadAll());
        Assert.Equal(new PackedResult(false, before, before), SegmentPacker.Pack(_journal.Path, 0, Cancel)); // Once is enough.
    }

    [Fact]
    public void What_does_not_shrink_or_is_small_or_is_not_ours_stays_as_it_is()
    {
        using (JournalWriter writer = _journal.OpenWriter())
        {
            byte[] noise = new byte[6 << 20];
            new Random(1).NextBytes(noise);
            writer.Append(JournalChannel.Stdout, noise, 1);
        }

        byte[] before = File.ReadAllBytes(_journal.Segments()[0]);
        Assert.False(SegmentPacker.Pack(_journal.Path, 0, Cancel).IsPacked);
        Assert.Equal(before, File.ReadAllBytes(_journal.Segments()[0]));

        File.WriteAllBytes(_journal.Segments()[0], before[..10_000]);
        Assert.False(SegmentPacker.Pack(_journal.Path, 0, Cancel).IsPacked);
        File.WriteAllBytes(_journal.Segments()[0], new byte[100_000]);
        Assert.False(SegmentPacker.Pack(_journal.Path, 0, Cancel).IsPacked);
        Assert.Single(Directory.GetFiles(_journal.Path, "*.hfj*"));
    }

    /// <summary>
    /// Goal: a packed segment that is damaged anywhere gives a beginning of what was there, and says so. Method: flip a bit in every byte
    /// of head and table, and here and there in the blocks.
    /// </summary>
    [Fact]
    public void A_damaged_byte_anywhere_is_damage_and_never_another_record()
    {
        WriteLines(_journal, 8_000);
        List<ReadRecord> records = _journal.ReadAll();
        Assert.True(SegmentPacker.Pack(_journal.Path, 0, Cancel).IsPacked);
        string path = _journal.Segments()[0];
        byte[] whole = File.ReadAllBytes(path);
        int head = PackedSegmentFormat.HeaderBytes + 2 * PackedSegmentFormat.EntryBytes;
        foreach (
            int at in Enumerable.Range(10, head - 10).Concat(Enumerable.Range(0, 40).Select(i => head + (i * (whole.Length - head) / 40)))
        )
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= 4;
            File.WriteAllBytes(path, damaged);
            using JournalReader reader = _journal.OpenReader();
            List<ReadRecord> read = TemporaryJournal.ReadRest(reader);
            Assert.Equal(JournalEnd.Damaged, reader.End);
            Assert.True(read.Count < records.Count && read.SequenceEqual(records.Take(read.Count)), $"byte {at}");
        }

        foreach (int length in (int[])[64, 70, head, head + 1, whole.Length / 2, whole.Length - 1])
        {
            File.WriteAllBytes(path, whole[..length]);
            using JournalReader reader = _journal.OpenReader();
            Assert.True(TemporaryJournal.ReadRest(reader).Count < records.Count);
            Assert.Equal(JournalEnd.Damaged, reader.End);
        }
    }

    [Fact]
    public void A_writer_refuses_a_journal_that_is_packed_to_its_end_damaged_or_not_and_goes_on_behind_a_closed_one()
    {
        WriteLines(_journal, 8_000);
        Assert.True(SegmentPacker.Pack(_journal.Path, 0, Cancel).IsPacked);
        byte[] packed = File.ReadAllBytes(_journal.Segments()[0]);
        Assert.Throws<JournalDamagedException>(() => _journal.OpenWriter());
        byte[] damaged = [.. packed];
        damaged[20] ^= 1;
        File.WriteAllBytes(_journal.Segments()[0], damaged);
        Assert.Throws<JournalDamagedException>(() => _journal.OpenWriter());
        Assert.Equal(damaged, File.ReadAllBytes(_journal.Segments()[0]));

        // Its successor was created, and its writer died before the header: what came before is read to know where it stands.
        File.WriteAllBytes(_journal.Segments()[0], packed);
        List<ReadRecord> records = _journal.ReadAll();
        File.WriteAllBytes(_journal.Segment(JournalFormat.EndOf(_journal.Path)), [1, 2, 3]);
        using (JournalWriter writer = _journal.OpenWriter())
        {
            writer.Append(JournalChannel.Stdout, "more"u8, 5);
        }

        List<ReadRecord> all = _journal.ReadAll();
        Assert.Equal(records, all.SkipLast(1));
        Assert.Equal(records[^1].StreamOffset + (records[^1].Payload.Length / 2), all[^1].StreamOffset);
    }

    [Fact]
    public void A_torn_tail_is_torn_in_a_packed_segment_too()
    {
        WriteLines(_journal, 8_000);
        string path = _journal.Segments()[0];
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^3]);
        List<ReadRecord> records = _journal.ReadAll();
        Assert.True(SegmentPacker.Pack(_journal.Path, 0, Cancel).IsPacked);
        using JournalReader reader = _journal.OpenReader();
        Assert.Equal(records, TemporaryJournal.ReadRest(reader));
        Assert.Equal(JournalEnd.Torn, reader.End);
    }

    /// <summary>
    /// Builds that know only version 1 refuse by the header's rule: magic, version, length and checksum are where they look for them.
    /// </summary>
    [Fact]
    public void A_reader_of_version_1_finds_a_whole_header_of_another_version()
    {
        WriteLines(_journal, 8_000);
        Assert.True(SegmentPacker.Pack(_journal.Path, 0, Cancel).IsPacked);
        byte[] packed = File.ReadAllBytes(_journal.Segments()[0]);
        Assert.Equal(
            2,
            Assert.Throws<JournalVersionException>(() => SegmentHeader.Read(packed, 0, new long[JournalFormat.ChannelCount])).Version
        );
    }

    [Fact]
    public void Reading_a_large_packed_stream_takes_no_more_memory_than_a_few_blocks()
    {
        byte[] piece = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 9000).Select(static n => $"line {n} of some output\n")))[
            ..200_000
        ];
        using (JournalWriter writer = _journal.OpenWriter())
        {
            for (int i = 0; i < 200; i++)
            {
                writer.Append(JournalChannel.Stdout, piece, i);
            }
        }

        Assert.True(SegmentPacker.Pack(_journal.Path, 0, Cancel).IsPacked);
        long before = GC.GetAllocatedBytesForCurrentThread();
        using (JournalOutput output = JournalOutput.Open(_journal.Path, OutputStream.All))
        {
            while (output.TryRead(out ReadOnlyMemory<byte> run))
            {
                Assert.True(run.Span.SequenceEqual(piece));
            }

            Assert.Equal(200L * piece.Length, output.Offset);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2_000_000);
    }

    private static ReadRecord? First(TemporaryJournal journal, long position)
    {
        using JournalReader reader = journal.OpenReader(position);
        return reader.TryRead(out JournalRecord record) ? ReadRecord.Of(record) : null;
    }

    private static byte[] ReadOutput(TemporaryJournal journal, OutputStream stream, long offset)
    {
        using JournalOutput output = JournalOutput.Open(journal.Path, stream, offset);
        var read = new MemoryStream();
        while (output.TryRead(out ReadOnlyMemory<byte> run))
        {
            read.Write(run.Span);
        }

        return read.ToArray();
    }

    private static void WriteLines(TemporaryJournal journal, int count)
    {
        using JournalWriter writer = journal.OpenWriter();
        for (int i = 0; i < count; i++)
        {
            writer.Append(JournalChannel.Stdout, Encoding.ASCII.GetBytes($"line {i} of what a job says\n"), i);
        }
    }

    /// <summary>Text that shrinks and noise that does not, on all channels, in segments from one record to many.</summary>
    private static void Write(TemporaryJournal journal, Random random)
    {
        JournalChannel[] channels =
        [
            JournalChannel.Stdout,
            JournalChannel.Stdout,
            JournalChannel.Stderr,
            JournalChannel.Event,
            JournalChannel.IoPub,
        ];
        using JournalWriter writer = journal.OpenWriter(
            random.Next(30_000, 900_000),
            random.Next(2) == 0 ? JournalFormat.PayloadBytesMax : random.Next(1_000, 50_000)
        );
        int total = random.Next(100_000, 2_000_000);
        for (int written = 0; written < total; )
        {
            byte[] piece = new byte[random.Next(1, random.Next(4) == 0 ? 300_000 : 3_000)];
            piece.AsSpan().Fill((byte)random.Next(32, 127));
            if (random.Next(10) == 0)
            {
                random.NextBytes(piece);
            }

            writer.Append(channels[random.Next(channels.Length)], piece, written);
            written += piece.Length;
        }
    }
}
