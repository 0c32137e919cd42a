using Holdfast.Protocol.Journal;

namespace Holdfast.Tests.Journal;

public sealed class PayloadJoinerTests : IDisposable
{
    private readonly TemporaryJournal _journal = new();

    public void Dispose() => _journal.Dispose();

    [Fact]
    public void Pieces_are_joined_channel_by_channel_with_others_between()
    {
        byte[] large = new byte[1_500_000];
        new Random(1).NextBytes(large);
        using (JournalWriter writer = _journal.OpenWriter())
        {
            writer.Append(JournalChannel.IoPub, large, 1);
            writer.Append(JournalChannel.Shell, "small"u8, 2);
        }

        // Two channels' pieces may interleave when an append was resumed after the disk was full.
        List<ReadRecord> records = _journal.ReadAll();
        records.Insert(3, records[^1]);
        List<(PayloadState State, byte[] Payload)> joined = JoinAll(new PayloadJoiner(large.Length), records);
        Assert.Equal("small"u8, joined[3].Payload);
        (PayloadState state, byte[] whole) = joined.Single(j => j.Payload.Length > 100);
        Assert.Equal(PayloadState.Whole, state);
        Assert.Equal(large, whole);
    }

    [Fact]
    public void A_payload_past_the_limit_is_reported_and_not_kept()
    {
        using (JournalWriter writer = _journal.OpenWriter(payloadBytes: 10))
        {
            writer.Append(JournalChannel.IoPub, new byte[25], 1);
            writer.Append(JournalChannel.IoPub, new byte[24], 2);
        }

        Assert.Equal(
            [
                (PayloadState.Incomplete, 0),
                (PayloadState.Incomplete, 0),
                (PayloadState.TooLarge, 0),
                (PayloadState.Incomplete, 0),
                (PayloadState.Incomplete, 0),
                (PayloadState.Whole, 24),
            ],
            JoinAll(new PayloadJoiner(24), _journal.ReadAll()).Select(j => (j.State, j.Payload.Length))
        );
    }

    [Fact]
    public void A_payload_that_was_never_finished_is_counted_and_one_begun_before_the_reader_is_skipped()
    {
        using (JournalWriter writer = _journal.OpenWriter(payloadBytes: 10))
        {
            writer.Append(JournalChannel.IoPub, new byte[25], 1);
            writer.Append(JournalChannel.IoPub, new byte[5], 2);
        }

        List<ReadRecord> records = _journal.ReadAll();
        var joiner = new PayloadJoiner(100);
        records.RemoveAt(2);
        Assert.Equal([0, 0, 5], JoinAll(joiner, records).Select(j => j.Payload.Length));
        Assert.Equal(1, joiner.CutPayloads);

        joiner = new PayloadJoiner(100);
        Assert.Equal([0, 0, 5], JoinAll(joiner, _journal.ReadAll(records[1].Position)).Select(j => j.Payload.Length));
        Assert.Equal(0, joiner.CutPayloads);
    }

    private static List<(PayloadState State, byte[] Payload)> JoinAll(PayloadJoiner joiner, List<ReadRecord> records)
    {
        var joined = new List<(PayloadState, byte[])>();
        foreach (ReadRecord record in records)
        {
            var again = new JournalRecord
            {
                Position = record.Position,
                NextPosition = record.NextPosition,
                Channel = record.Channel,
                Flags = record.Flags,
                UnixNanoseconds = record.UnixNanoseconds,
                StreamOffset = record.StreamOffset,
                Payload = Convert.FromHexString(record.Payload),
            };
            PayloadState state = joiner.Join(again, out ReadOnlyMemory<byte> payload);
            joined.Add((state, payload.ToArray()));
        }

        return joined;
    }
}
