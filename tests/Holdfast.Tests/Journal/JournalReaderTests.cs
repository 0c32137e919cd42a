using Holdfast.Protocol.Journal;

namespace Holdfast.Tests.Journal;

public sealed class JournalReaderTests : IDisposable
{
    private readonly TemporaryJournal _journal = new();

    public void Dispose() => _journal.Dispose();

    [Fact]
    public void A_journal_that_does_not_exist_yet_is_read_once_it_does()
    {
        using JournalReader reader = _journal.OpenReader();
        Assert.False(reader.TryRead(out _));
        Assert.Equal(JournalEnd.Clean, reader.End);

        using JournalWriter writer = _journal.OpenWriter();
        Assert.False(reader.TryRead(out _));
        writer.Append(JournalChannel.Event, "now"u8, 1);
        Assert.True(reader.TryRead(out JournalRecord record));
        Assert.Equal("now"u8, record.Payload.Span);
        Assert.Equal(writer.Position, reader.Position);
    }

    [Fact]
    public void A_reader_at_the_live_end_goes_on_over_every_new_segment()
    {
        using JournalWriter writer = _journal.OpenWriter(segmentBytes: 150);
        using JournalReader reader = _journal.OpenReader();
        for (int i = 0; i < 50; i++)
        {
            writer.Append(JournalChannel.Stdout, [(byte)i, 1, 2, 3], i);
            Assert.True(reader.TryRead(out JournalRecord record));
            Assert.Equal((i, i * 4L), (record.Payload.Span[0], record.StreamOffset));
            Assert.False(reader.TryRead(out _));
            Assert.Equal(JournalEnd.Clean, reader.End);
            Assert.Equal(writer.Position, reader.Position);
        }

        Assert.True(_journal.Segments().Length > 10);
    }

    /// <summary>
    /// Goal: half a record is "not yet". Method: give a reader the bytes of a large record and of the next segment one slice at a time.
    /// </summary>
    [Fact]
    public void A_partly_written_record_is_not_yet_one()
    {
        using var written = new TemporaryJournal();
        using (JournalWriter writer = written.OpenWriter(segmentBytes: 200_000))
        {
            writer.Append(JournalChannel.Stdout, new byte[150_000], 1);
            writer.Append(JournalChannel.Stdout, new byte[100_000], 2);
            writer.Append(JournalChannel.Stderr, [1], 3);
        }

        List<ReadRecord> expected = written.ReadAll();
        Directory.CreateDirectory(_journal.Path);
        using JournalReader reader = _journal.OpenReader();
        var read = new List<ReadRecord>();
        foreach (string segment in written.Segments())
        {
            long end = long.Parse(Path.GetFileNameWithoutExtension(segment), null);
            byte[] bytes = File.ReadAllBytes(segment);
            using var copy = new FileStream(
                Path.Join(_journal.Path, Path.GetFileName(segment)),
                FileMode.Create,
                FileAccess.Write,
                FileShare.ReadWrite
            );
            for (int at = 0; at < bytes.Length; at += 997)
            {
                copy.Write(bytes, at, Math.Min(997, bytes.Length - at));
                copy.Flush();
                read.AddRange(TemporaryJournal.ReadRest(reader));
                long there = end + Math.Min(at + 997, bytes.Length);
                Assert.Equal(expected.Where(r => r.NextPosition <= there), read);
                Assert.Equal(reader.Position == there ? JournalEnd.Clean : JournalEnd.Torn, reader.End);
            }
        }

        Assert.Equal(expected, read);
    }

    /// <summary>The writer cuts a write that failed and puts another record there: nothing of the first may stick to the second.</summary>
    [Fact]
    public void A_record_that_was_cut_and_written_over_is_read_as_it_is_now()
    {
        using JournalWriter writer = _journal.OpenWriter();
        writer.Append(JournalChannel.Stdout, "kept"u8, 1);
        long end = writer.Position;
        writer.Append(JournalChannel.Stdout, "the record as it was first"u8, 2);
        byte[] first = File.ReadAllBytes(_journal.Segment(0));

        using JournalReader reader = _journal.OpenReader();
        File.WriteAllBytes(_journal.Segment(0), first[..^5]);
        Assert.Single(TemporaryJournal.ReadRest(reader));
        Assert.Equal(JournalEnd.Torn, reader.End);

        File.WriteAllBytes(_journal.Segment(0), first[..(int)end]);
        Assert.Empty(TemporaryJournal.ReadRest(reader));
        Assert.Equal(JournalEnd.Clean, reader.End);

        using (JournalWriter second = _journal.OpenWriter())
        {
            second.Append(JournalChannel.Stdout, "and another of greater length, in its place"u8, 3);
        }

        Assert.Equal(
            Convert.ToHexString("and another of greater length, in its place"u8),
            Assert.Single(TemporaryJournal.ReadRest(reader)).Payload
        );
    }

    [Fact]
    public void A_position_past_the_end_is_told_from_the_live_end()
    {
        using (JournalWriter writer = _journal.OpenWriter())
        {
            writer.Append(JournalChannel.Stdout, "some"u8, 1);
            using JournalReader atEnd = _journal.OpenReader(writer.Position);
            Assert.Empty(TemporaryJournal.ReadRest(atEnd));
            Assert.Equal(JournalEnd.Clean, atEnd.End);

            using JournalReader past = _journal.OpenReader(writer.Position + 1);
            Assert.Empty(TemporaryJournal.ReadRest(past));
            Assert.Equal(JournalEnd.Beyond, past.End);
        }
    }

    [Fact]
    public void A_missing_segment_is_damage_and_not_the_end()
    {
        using (JournalWriter writer = _journal.OpenWriter(segmentBytes: 100))
        {
            for (int i = 0; i < 6; i++)
            {
                writer.Append(JournalChannel.Stdout, new byte[50], 1);
            }
        }

        string[] segments = _journal.Segments();
        Assert.Equal(6, segments.Length);
        File.Move(segments[3], segments[3] + ".gone");
        using (JournalReader reader = _journal.OpenReader())
        {
            Assert.Equal(3, TemporaryJournal.ReadRest(reader).Count);
            Assert.Equal(JournalEnd.Damaged, reader.End);
        }

        File.Delete(segments[0]);
        using (JournalReader reader = _journal.OpenReader())
        {
            Assert.Empty(TemporaryJournal.ReadRest(reader));
            Assert.Equal(JournalEnd.Damaged, reader.End);
        }

        // A segment can be read alone: its header says where its streams stand.
        using (JournalReader reader = _journal.OpenReader(long.Parse(Path.GetFileNameWithoutExtension(segments[4]), null)))
        {
            Assert.Equal([200L, 250L], TemporaryJournal.ReadRest(reader).Select(r => r.StreamOffset));
        }
    }

    /// <summary>Two whole segments that do not belong together: the second says that more was written before it.</summary>
    [Fact]
    public void A_segment_of_another_journal_is_not_read_on()
    {
        long[] ends = new long[2];
        using var other = new TemporaryJournal();
        foreach ((TemporaryJournal journal, byte[] payload, int i) in new[] { (_journal, new byte[8], 0), (other, new byte[8], 1) })
        {
            using JournalWriter writer = journal.OpenWriter(segmentBytes: 60);
            writer.Append(i == 0 ? JournalChannel.Stdout : JournalChannel.Stderr, payload, 1);
            ends[i] = writer.Position;
            writer.Append(JournalChannel.Stdout, payload, 2);
        }

        Assert.Equal(ends[0], ends[1]);
        File.Copy(other.Segment(ends[1]), _journal.Segment(ends[0]), overwrite: true);
        using JournalReader reader = _journal.OpenReader();
        Assert.Single(TemporaryJournal.ReadRest(reader));
        Assert.NotEqual(JournalEnd.Clean, reader.End);
    }

    /// <summary>
    /// Goal: a checksum alone is not enough. Method: take a whole record out of the row, so that the next follows at once.
    /// </summary>
    [Fact]
    public void A_whole_record_at_the_wrong_stream_offset_is_refused()
    {
        using (JournalWriter writer = _journal.OpenWriter())
        {
            for (int i = 0; i < 4; i++)
            {
                writer.Append(JournalChannel.Stdout, [(byte)i, 0], i);
            }
        }

        List<ReadRecord> records = _journal.ReadAll();
        byte[] bytes = File.ReadAllBytes(_journal.Segment(0));
        File.WriteAllBytes(_journal.Segment(0), [.. bytes[..(int)records[1].Position], .. bytes[(int)records[2].Position..]]);
        Assert.Equal(records[..1], _journal.ReadAll());
        using JournalWriter recovered = _journal.OpenWriter();
        Assert.Equal(2, recovered.StreamLength(JournalChannel.Stdout));
    }
}
