using System.Text;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;

namespace Holdfast.Tests.Attempts;

public sealed class ExitRecordTests
{
    [Fact]
    public void The_written_form_is_the_contract() =>
        Assert.Equal(
            """{"signal":9,"coreDumped":true,"cause":"signalled","reason":"r","at":5,"outputStillOpen":true,"stdoutBytes":1,"stderrBytes":2,"userMs":3,"systemMs":4,"maxRssKb":6}"""
                + "\n",
            Encoding.UTF8.GetString(Killed.Write())
        );

    [Fact]
    public void It_reads_back_as_it_was_written()
    {
        Assert.Equal(Killed, ExitRecord.Read(Killed.Write()));
        ExitRecord zero = Killed with { Signal = null, ExitCode = 0, CoreDumped = false, OutputStillOpen = false };
        Assert.Equal(zero, ExitRecord.Read(zero.Write()));
    }

    [Theory]
    [InlineData("""{"cause":"exited","reason":"r"}""")]
    [InlineData("""{"exitCode":0,"signal":9,"cause":"exited","reason":"r"}""")]
    [InlineData("""{"exitCode":0,"reason":"r"}""")]
    [InlineData("""{"exitCode":0,"cause":"ex""")]
    public void A_record_that_does_not_say_how_it_ended_is_refused(string json) =>
        Assert.Throws<AttemptFormatException>(() => ExitRecord.Read(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void The_exit_event_carries_the_same_fields()
    {
        var written = new AttemptEvent { Event = AttemptEvent.ExitEvent, Exit = Killed };

        AttemptEvent read = AttemptEvent.Read(written.Write());

        Assert.Equal(Killed, read.Exit);
        Assert.Equal("signalled", read.Cause);
    }

    [Fact]
    public void Other_events_read_back_with_their_fields()
    {
        var skipped = new AttemptEvent
        {
            Event = AttemptEvent.Skipped,
            MessageId = "m",
            Reason = "an error before it",
        };
        var heartbeat = new AttemptEvent { Event = AttemptEvent.Heartbeat, Alive = false };
        var stalled = new AttemptEvent
        {
            Event = AttemptEvent.Stalled,
            Reason = "disk full",
            AtUnixNanoseconds = 4,
        };
        var start = new AttemptEvent
        {
            Event = AttemptEvent.Start,
            Attempt = "a",
            Argv = ["x"],
        };

        Assert.Equal(skipped, AttemptEvent.Read(skipped.Write()));
        Assert.Equal(heartbeat, AttemptEvent.Read(heartbeat.Write()));
        Assert.Equal(stalled, AttemptEvent.Read(stalled.Write()));
        Assert.Equivalent(start, AttemptEvent.Read(start.Write()), strict: true);
    }

    [Fact]
    public void Supervisor_and_child_records_read_back_as_they_were_written()
    {
        var process = new ProcessIdentity("boot", 42, 4242);
        var supervisor = new SupervisorRecord
        {
            Protocol = 1,
            Version = "0.1.0",
            Process = process,
            Nonce = "n",
            Socket = "/s",
            Mode = "job",
        };
        var child = new ChildRecord(process, 9);

        Assert.Equal(supervisor, SupervisorRecord.Read(supervisor.Write()));
        Assert.Equal(child, ChildRecord.Read(child.Write()));
        Assert.Throws<AttemptFormatException>(() => SupervisorRecord.Read("{}"u8));
        Assert.Throws<AttemptFormatException>(() => ChildRecord.Read("{\"pid\":true}"u8));
    }

    private static ExitRecord Killed =>
        new()
        {
            Signal = 9,
            CoreDumped = true,
            Cause = ExitCause.Signalled,
            Reason = "r",
            AtUnixNanoseconds = 5,
            OutputStillOpen = true,
            StdoutBytes = 1,
            StderrBytes = 2,
            UserMs = 3,
            SystemMs = 4,
            MaxRssKb = 6,
        };
}
