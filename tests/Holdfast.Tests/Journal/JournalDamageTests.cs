using Holdfast.Protocol.Journal;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Tests.Journal;

/// <summary>
/// Every byte of a segment is cut off, zeroed from there on, and flipped. What is read must be just the records that end before the
/// first changed byte: none wrong, none lost. What a writer finds when it opens such a journal must be the same.
/// </summary>
public sealed class JournalDamageTests : IDisposable
{
    private const int RecordsPerSegment = 24;

    private readonly TemporaryJournal _journal = new();
    private readonly List<ReadRecord> _records;
    private readonly long[] _bases;
    private readonly byte[][] _segments;

    public JournalDamageTests()
    {
        // Three segments of small records: the first to lead in, the second to be damaged as a closed one, the third as the last.
        var random = new Random(20261121);
        using (JournalWriter writer = _journal.OpenWriter(segmentBytes: long.MaxValue))
        {
            WriteRecords(writer, random);
        }

        for (int i = 0; i < 2; i++)
        {
            // A limit of one byte rolls at the first append and never again, once the limit is gone.
            using (JournalWriter writer = _journal.OpenWriter(segmentBytes: 1))
            {
                writer.Append(JournalChannel.Event, [7], 0);
            }

            using (JournalWriter writer = _journal.OpenWriter(segmentBytes: long.MaxValue))
            {
                WriteRecords(writer, random);
            }
        }

        string[] files = _journal.Segments();
        Assert.Equal(3, files.Length);
        _segments = [.. files.Select(File.ReadAllBytes)];
        _bases = [.. files.Select(file => long.Parse(Path.GetFileNameWithoutExtension(file), null))];
        _records = _journal.ReadAll();
        Assert.Equal(RecordsPerSegment * 3 + 2, _records.Count);
    }

    public static TheoryData<Damage> Damages => [.. Enum.GetValues<Damage>()];

    /// <summary>What is done to a segment at a byte.</summary>
    public enum Damage
    {
        Cut,
        CutWithZeros,
        ZerosToTheEnd,
        FlippedBit,
        GarbageToTheEnd,
    }

    public void Dispose() => _journal.Dispose();

    [Theory]
    [MemberData(nameof(Damages))]
    public void A_reader_stops_just_before_damage_in_the_last_segment(Damage damage)
    {
        ForEveryByte(
            2,
            damage,
            (damaged, firstChange) =>
            {
                using JournalReader reader = _journal.OpenReader();
                List<ReadRecord> read = TemporaryJournal.ReadRest(reader);
                List<ReadRecord> whole = EndingBefore(_bases[2] + firstChange);
                Assert.Equal(whole, read);
                long end =
                    whole.Count < RecordsPerSegment * 2 + 1 || whole[^1].Position < _bases[2] ? reader.Position : whole[^1].NextPosition;
                Assert.Equal(end, reader.Position);
                Assert.Equal(_bases[2] + damaged.Length > reader.Position ? JournalEnd.Torn : JournalEnd.Clean, reader.End);
            }
        );
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public void A_reader_calls_it_damage_in_a_closed_segment(Damage damage)
    {
        ForEveryByte(
            1,
            damage,
            (damaged, firstChange) =>
            {
                if (firstChange == _segments[1].Length && damaged.Length == firstChange)
                {
                    return; // Zeros over zeros change nothing.
                }

                using JournalReader reader = _journal.OpenReader();
                Assert.Equal(EndingBefore(_bases[1] + firstChange), TemporaryJournal.ReadRest(reader));
                Assert.Equal(JournalEnd.Damaged, reader.End);
            }
        );
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public void A_writer_cuts_the_damage_and_goes_on_from_the_last_whole_record(Damage damage)
    {
        ForEveryByte(
            2,
            damage,
            (damaged, firstChange) =>
            {
                List<ReadRecord> expected = EndingBefore(_bases[2] + firstChange);
                long stdout = expected.Where(r => r.Channel == JournalChannel.Stdout).Sum(r => r.Payload.Length / 2);
                bool hasHeader = firstChange >= HeaderBytes(2);
                long end =
                    !hasHeader ? _bases[2]
                    : expected[^1].NextPosition > _bases[2] ? expected[^1].NextPosition
                    : _bases[2] + HeaderBytes(2);

                using (JournalWriter writer = _journal.OpenWriter())
                {
                    Assert.Equal(_bases[2] + damaged.Length - end, writer.BytesCut);
                    Assert.Equal(stdout, writer.StreamLength(JournalChannel.Stdout));
                    Assert.Equal(hasHeader ? end : _bases[2] + HeaderBytes(2), writer.Position);
                    writer.Append(JournalChannel.Stdout, "after"u8, 99);
                }

                using JournalReader reader = _journal.OpenReader();
                List<ReadRecord> read = TemporaryJournal.ReadRest(reader);
                Assert.Equal(JournalEnd.Clean, reader.End);
                Assert.Equal(expected, read[..^1]);
                Assert.Equal(
                    (JournalChannel.Stdout, stdout, Convert.ToHexString("after"u8)),
                    (read[^1].Channel, read[^1].StreamOffset, read[^1].Payload)
                );
            }
        );
    }

    [Fact]
    public void What_a_writer_cuts_is_kept_beside_the_journal_unless_it_is_all_zero()
    {
        byte[] last = _segments[2];
        ReadRecord victim = _records[^3];
        int at = (int)(victim.Position - _bases[2]) + 20;
        last[at] ^= 0x40;
        File.WriteAllBytes(_journal.Segment(_bases[2]), last);
        _journal.OpenWriter().Dispose();
        Assert.Equal(last[(int)(victim.Position - _bases[2])..], File.ReadAllBytes(JournalFormat.CutPath(_journal.Path, victim.Position)));

        long end = new FileInfo(_journal.Segment(_bases[2])).Length;
        File.AppendAllBytes(_journal.Segment(_bases[2]), new byte[100_000]);
        using (JournalWriter writer = _journal.OpenWriter())
        {
            Assert.Equal(100_000, writer.BytesCut);
        }

        Assert.Equal(end, new FileInfo(_journal.Segment(_bases[2])).Length);
        Assert.Single(Directory.GetFiles(_journal.Path, "*.cut"));
    }

    private static void WriteRecords(JournalWriter writer, Random random)
    {
        JournalChannel[] channels = [JournalChannel.Stdout, JournalChannel.Stderr, JournalChannel.IoPub, JournalChannel.Event];
        for (int i = 0; i < RecordsPerSegment; i++)
        {
            byte[] payload = new byte[random.Next(1, 30)];
            if (i % 5 != 0)
            {
                random.NextBytes(payload); // Every fifth payload is all zero: it must not be taken for a torn tail.
            }

            writer.Append(channels[random.Next(channels.Length)], payload, 1_000_000 * i);
        }
    }

    private int HeaderBytes(int segment) => (int)(_records.First(r => r.Position > _bases[segment]).Position - _bases[segment]);

    /// <summary>The records before a position. A segment whose header is hit has none.</summary>
    private List<ReadRecord> EndingBefore(long position) => [.. _records.Where(r => r.NextPosition <= position)];

    private void ForEveryByte(int segment, Damage damage, Action<byte[], int> check)
    {
        byte[] original = _segments[segment];
        var random = new Random(segment);

        // Written over in place: a file truncated and written anew is flushed by some file systems at every close.
        using SafeFileHandle file = File.OpenHandle(
            _journal.Segment(_bases[segment]),
            FileMode.Open,
            FileAccess.ReadWrite,
            FileShare.ReadWrite
        );
        for (int at = 0; at < original.Length; at++)
        {
            byte[] damaged = Damaged(original, at, damage, random);
            RandomAccess.SetLength(file, damaged.Length);
            RandomAccess.Write(file, damaged, 0);
            int common = original.AsSpan().CommonPrefixLength(damaged);
            try
            {
                check(damaged, common);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"{damage} at byte {at} of {original.Length}", failure);
            }
        }
    }

    private static byte[] Damaged(byte[] original, int at, Damage damage, Random random)
    {
        byte[] damaged = damage switch
        {
            Damage.Cut => original[..at],
            Damage.CutWithZeros => [.. original[..at], .. new byte[at % 97 + 1]],
            _ => [.. original],
        };
        switch (damage)
        {
            case Damage.ZerosToTheEnd:
                damaged.AsSpan(at).Clear();
                break;
            case Damage.FlippedBit:
                damaged[at] ^= (byte)(1 << (at % 8));
                break;
            case Damage.GarbageToTheEnd:
                random.NextBytes(damaged.AsSpan(at));
                break;
        }

        return damaged;
    }
}
