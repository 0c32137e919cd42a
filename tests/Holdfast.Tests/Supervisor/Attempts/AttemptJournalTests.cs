using System.Text;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Supervisor.Attempts;
using Holdfast.Supervisor.Loop;
using Holdfast.Tests.Supervisor.Loop;

namespace Holdfast.Tests.Supervisor.Attempts;

public sealed class AttemptJournalTests : IDisposable
{
    private readonly HandClock _clock = new();
    private readonly PollLoop _loop;
    private readonly string _folder = Directory.CreateTempSubdirectory("holdfast-journal").FullName;
    private readonly AttemptJournal _journal;

    public AttemptJournalTests()
    {
        _loop = new PollLoop(_clock);
        _journal = new AttemptJournal(_loop, _folder + "/journal");
    }

    public void Dispose()
    {
        _journal.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void What_waits_for_the_journal_to_be_possible_is_written_in_order_with_the_stall_first()
    {
        // A file where the folder should be: the journal cannot be created until it is gone.
        File.WriteAllText(_folder + "/journal", "");
        _journal.Steps.Do(_journal.Open);
        _journal.Record(new AttemptEvent { Event = AttemptEvent.Start, Attempt = "a" });
        _journal.Append(JournalChannel.Stdout, "hello"u8.ToArray(), 1);
        Assert.True(_journal.IsStalled);

        File.Delete(_folder + "/journal");
        _clock.Turn(1000);
        _loop.RunOnce(0);

        Assert.False(_journal.IsStalled);
        Assert.Equal(["Event start", "Stdout hello", "Event unstalled"], Records());
    }

    [Fact]
    public void The_last_record_completes_it()
    {
        _journal.Steps.Do(_journal.Open);
        string? failure = "not called";
        _journal.RecordLast(
            new AttemptEvent
            {
                Event = AttemptEvent.ExitEvent,
                Exit = new ExitRecord
                {
                    ExitCode = 0,
                    Cause = "exited",
                    Reason = "r",
                    AtUnixNanoseconds = 1,
                },
            }
        );
        _journal.Sync(result => failure = result);

        Assert.True(_journal.IsComplete);
        Assert.Null(failure);
        Assert.Equal(["Event exit"], Records());
    }

    [Fact]
    public void What_is_said_is_synced_within_the_second()
    {
        _journal.Steps.Do(_journal.Open);
        _journal.Append(JournalChannel.Stdout, "hello"u8.ToArray(), 1);
        Assert.True(_journal.HasUnsynced);

        _clock.Turn(1000);
        _loop.RunOnce(0);

        Assert.False(_journal.HasUnsynced);
    }

    [Fact]
    public void A_large_message_is_told_of_while_it_is_appended()
    {
        _journal.Steps.Do(_journal.Open);
        var told = new List<long>();
        var read = new List<long>();
        using JournalReader reader = JournalReader.Open(_folder + "/journal");
        _journal.Growing = () =>
        {
            told.Add(_journal.Position);
            while (reader.TryRead(out _)) { }

            read.Add(reader.Position);
        };
        _journal.Append(JournalChannel.IoPub, new byte[(3 * 1024 * 1024) + 1], 1);
        _journal.Append(JournalChannel.IoPub, "small"u8.ToArray(), 2);

        Assert.Equal(3, told.Count);
        Assert.Equal(told, read);
        Assert.True(told[^1] < _journal.Position);
    }

    private List<string> Records()
    {
        using JournalReader reader = JournalReader.Open(_folder + "/journal");
        var records = new List<string>();
        while (reader.TryRead(out JournalRecord record))
        {
            string text = Encoding.UTF8.GetString(record.Payload.Span);
            records.Add(
                record.Channel + " " + (record.Channel == JournalChannel.Event ? AttemptEvent.Read(record.Payload.Span).Event : text)
            );
        }

        return records;
    }
}
