using Holdfast.Protocol.Journal;

namespace Holdfast.Tests.Journal;

public sealed class JournalFollowerTests : IDisposable
{
    private readonly TemporaryJournal _journal = new();

    public void Dispose() => _journal.Dispose();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Generous: it passes only when a wake-up was lost.</summary>
    private static TimeSpan Patience => TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_follower_reads_all_to_the_exit_event_over_every_segment_while_it_is_written()
    {
        const int Records = 3000;
        using JournalFollower follower = JournalFollower.Open(_journal.Path);
        Task<List<long>> following = FollowAsync(follower);
        await Task.Run(
            () =>
            {
                using JournalWriter writer = _journal.OpenWriter(segmentBytes: 20_000);
                for (int i = 0; i < Records; i++)
                {
                    writer.Append(JournalChannel.Stdout, BitConverter.GetBytes(i), i);
                    if (i % 7 == 0)
                    {
                        follower.Pulse();
                    }
                }

                writer.Append(JournalChannel.Event, """{"event":"exit","exitCode":0}"""u8, Records);
                follower.Pulse();
            },
            Cancel
        );

        Assert.Equal(Enumerable.Range(0, Records + 1).Select(i => (long)i), await following.WaitAsync(Patience, Cancel));
        Assert.True(follower.HasExited);
        Assert.True(_journal.Segments().Length > 3);
    }

    [Fact]
    public async Task Pulses_before_the_wait_are_not_lost_and_many_are_worth_one()
    {
        using JournalFollower follower = JournalFollower.Open(_journal.Path);
        Assert.False(follower.TryRead(out _));
        follower.Pulse();
        follower.Pulse();
        Assert.True(await follower.WaitAsync(Cancel));
        ValueTask<bool> second = follower.WaitAsync(Cancel);
        Assert.False(second.IsCompleted);
        follower.Pulse();
        Assert.True(await second.AsTask().WaitAsync(Patience, Cancel));
    }

    [Fact]
    public async Task Who_waits_goes_on_within_an_inline_pulse()
    {
        using JournalFollower follower = JournalFollower.Open(_journal.Path);
        int wokenBy = 0;
        async Task WaitAsync()
        {
            while (await follower.WaitAsync(CancellationToken.None))
            {
                wokenBy = Environment.CurrentManagedThreadId;
            }
        }

        Task waiting = await Task.Run(
            () =>
            {
                Task started = WaitAsync();
                follower.PulseInline();
                Assert.Equal(Environment.CurrentManagedThreadId, wokenBy);
                return Task.FromResult(started);
            },
            Cancel
        );

        follower.Finish();
        Assert.False(follower.TryRead(out _));
        follower.PulseInline();
        await waiting.WaitAsync(Patience, Cancel);
    }

    [Fact]
    public async Task Told_that_the_writer_is_gone_it_reads_what_there_is_and_ends()
    {
        using JournalFollower follower = JournalFollower.Open(_journal.Path);
        Task<List<long>> following = FollowAsync(follower);
        using (JournalWriter writer = _journal.OpenWriter())
        {
            writer.Append(JournalChannel.Stdout, "last words"u8, 1);
            writer.Append(JournalChannel.Stdout, "cut off"u8, 2);
        }

        byte[] bytes = File.ReadAllBytes(_journal.Segment(0));
        File.WriteAllBytes(_journal.Segment(0), bytes[..^2]);
        follower.Finish();
        Assert.Equal([1L], await following.WaitAsync(Patience, Cancel));
        Assert.False(follower.HasExited);
        Assert.Equal(JournalEnd.Torn, follower.End);
    }

    [Fact]
    public async Task Damage_ends_it_at_once()
    {
        using (JournalWriter writer = _journal.OpenWriter(segmentBytes: 100))
        {
            writer.Append(JournalChannel.Stdout, new byte[60], 1);
            writer.Append(JournalChannel.Stdout, new byte[60], 2);
        }

        byte[] bytes = File.ReadAllBytes(_journal.Segment(0));
        File.WriteAllBytes(_journal.Segment(0), bytes[..^2]);
        using JournalFollower follower = JournalFollower.Open(_journal.Path);
        Assert.Empty(await FollowAsync(follower).WaitAsync(Patience, Cancel));
        Assert.Equal(JournalEnd.Damaged, follower.End);
    }

    [Fact]
    public async Task A_wait_ends_when_its_caller_goes_away()
    {
        using JournalFollower follower = JournalFollower.Open(_journal.Path);
        using var gone = new CancellationTokenSource();
        ValueTask<bool> wait = follower.WaitAsync(gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await wait);
        follower.Pulse();
        Assert.True(await follower.WaitAsync(Cancel));
    }

    [Theory]
    [InlineData("""{"event":"exit"}""", true)]
    [InlineData("""{"exitCode":3,"list":[1,{"event":"x"}],"event":"exit","reason":"r"}""", true)]
    [InlineData("""{"event":"exited"}""", false)]
    [InlineData("""{"inner":{"event":"exit"}}""", false)]
    [InlineData("""{"reason":"exit","event":"stop"}""", false)]
    [InlineData("""["event","exit"]""", false)]
    [InlineData("event exit", false)]
    public async Task Only_an_exit_event_is_the_end(string payload, bool isEnd)
    {
        using (JournalWriter writer = _journal.OpenWriter())
        {
            writer.Append(JournalChannel.Event, System.Text.Encoding.UTF8.GetBytes(payload), 1);
        }

        using JournalFollower follower = JournalFollower.Open(_journal.Path);
        follower.Pulse();
        Assert.True(follower.TryRead(out _));
        Assert.Equal(isEnd, follower.HasExited);
        Assert.Equal(!isEnd, await follower.WaitAsync(Cancel));
    }

    [Fact]
    public void An_exit_event_so_long_that_it_is_split_ends_with_its_last_piece()
    {
        using (JournalWriter writer = _journal.OpenWriter(payloadBytes: 40))
        {
            writer.Append(JournalChannel.Event, """{"event":"exit","reason":"something that takes more than a record, this time"}"""u8, 1);
        }

        using JournalFollower follower = JournalFollower.Open(_journal.Path);
        Assert.True(follower.TryRead(out _));
        Assert.False(follower.HasExited);
        Assert.True(follower.TryRead(out _));
        Assert.True(follower.HasExited);
    }

    private static async Task<List<long>> FollowAsync(JournalFollower follower)
    {
        var times = new List<long>();
        do
        {
            while (follower.TryRead(out JournalRecord record))
            {
                times.Add(record.UnixNanoseconds);
            }
        } while (await follower.WaitAsync(Cancel));

        return times;
    }
}
