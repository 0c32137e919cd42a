using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;

namespace Holdfast.SystemTests.Supervisor;

/// <summary>Signals, pause, resume, stop and timeout, down to the last descendant.</summary>
public sealed class JobStopTests : IDisposable
{
    // Two levels that left the group by setsid, beside children in it.
    private const string Tree = "setsid sh -c 'setsid sleep 1000 & sleep 1000 & wait' & sleep 1000 & (sleep 1000 &) ; echo $$ > up; wait";

    private readonly AttemptRoom _room = new();

    public void Dispose() => _room.Dispose();

    [Theory]
    [InlineData(false, 2000)]
    [InlineData(true, 2000)]
    [InlineData(true, -1)]
    public void Stop_ends_the_whole_tree_also_while_paused(bool isPaused, long graceMs)
    {
        AttemptSpec spec = _room.New("sh", "-c", Tree);
        using LinkPeer peer = _room.StartAndGreet(spec);
        UntilTreeIsUp();
        if (isPaused)
        {
            Assert.Equal(LinkMessageType.Done, peer.Ask(LinkMessageType.Pause).Type);
            peer.Wait(LinkMessageType.Paused);
        }

        LinkMessage stop = peer.Ask(
            new LinkMessage
            {
                Type = LinkMessageType.Stop,
                Cause = ExitCause.Cancelled,
                GraceMs = graceMs,
            }
        );
        LinkMessage exited = peer.Wait(LinkMessageType.Exited);

        Assert.Equal(LinkMessageType.Done, stop.Type);
        Assert.Equal(ExitCause.Cancelled, exited.Cause);
        Assert.Empty(_room.Marked());
        Assert.False(_room.ExitOf(spec).OutputStillOpen);

        // Nobody is left, so the supervisor is as good as new.
        AttemptSpec next = _room.New("true");
        Assert.Equal(LinkMessageType.Done, peer.Ask(new LinkMessage { Type = LinkMessageType.Run, Directory = _room.FolderOf(next) }).Type);
        Assert.Equal(0, peer.Wait(LinkMessageType.Exited).ExitCode);
    }

    [Theory]
    [InlineData(LinkMessageType.Stop)]
    [InlineData(LinkMessageType.Signal)]
    [InlineData(LinkMessageType.Pause)]
    [InlineData(LinkMessageType.StandardInput)]
    public void What_was_meant_for_the_last_job_does_nothing_to_the_next(LinkMessageType type)
    {
        AttemptSpec first = _room.New("true");
        using LinkPeer peer = _room.StartAndGreet(first);
        peer.Wait(LinkMessageType.Exited);
        AttemptSpec next = _room.New(
            ["sh", "-c", "read line; echo $line; exit 5"],
            static s => s with { StandardInput = AttemptSpec.InputPipe }
        );
        Assert.Equal(LinkMessageType.Done, peer.Ask(new LinkMessage { Type = LinkMessageType.Run, Directory = _room.FolderOf(next) }).Type);
        peer.Wait(LinkMessageType.Started);

        LinkMessage late = peer.Ask(
            new LinkMessage
            {
                Type = type,
                Attempt = first.Attempt,
                Signal = Libc.SigKill,
                Body = "late\n"u8.ToArray(),
            }
        );

        Assert.Equal((LinkMessageType.Refused, LinkCodes.NotRunning), (late.Type, late.Code));
        peer.Ask(
            new LinkMessage
            {
                Type = LinkMessageType.StandardInput,
                Attempt = next.Attempt,
                Body = "in time\n"u8.ToArray(),
            }
        );
        LinkMessage exited = peer.Wait(LinkMessageType.Exited);
        Assert.Equal((ExitCause.Exited, 5), (exited.Cause, exited.ExitCode));
        Assert.Equal("in time\n", _room.Output(next, JournalChannel.Stdout));
    }

    [Fact]
    public void A_tree_that_ignores_terminate_is_killed_when_the_grace_is_over()
    {
        AttemptSpec spec = _room.New(
            "sh",
            "-c",
            "trap '' TERM; setsid sh -c 'trap \"\" TERM; while :; do sleep 0.05; done' & while :; do sleep 0.05; done"
        );
        using LinkPeer peer = _room.StartAndGreet(spec);
        AttemptRoom.Until(() => _room.Marked().Count >= 2, "the tree to be up");

        peer.Ask(
            new LinkMessage
            {
                Type = LinkMessageType.Stop,
                Cause = ExitCause.Cancelled,
                GraceMs = 300,
            }
        );
        LinkMessage exited = peer.Wait(LinkMessageType.Exited);

        Assert.Equal((ExitCause.Cancelled, Libc.SigKill), (exited.Cause, exited.Signal));
        Assert.Empty(_room.Marked());
    }

    [Fact]
    public void What_the_job_says_while_it_is_ended_is_kept()
    {
        AttemptSpec spec = _room.New("sh", "-c", "trap 'echo caught; exit 9' TERM; echo ready; while :; do sleep 0.02; done");
        using LinkPeer peer = _room.StartAndGreet(spec);
        AttemptRoom.Until(() => _room.Output(spec, JournalChannel.Stdout).Length > 0, "the trap to be set");

        peer.Ask(new LinkMessage { Type = LinkMessageType.Stop, Cause = ExitCause.Cancelled });
        LinkMessage exited = peer.Wait(LinkMessageType.Exited);

        Assert.Equal((ExitCause.Cancelled, 9), (exited.Cause, exited.ExitCode));
        Assert.Equal("ready\ncaught\n", _room.Output(spec, JournalChannel.Stdout));
        Assert.Equal(["start", "started", "stop", "exit"], _room.Events(spec).ConvertAll(e => e.Event));
    }

    [Fact]
    public void The_time_is_up_without_any_server()
    {
        AttemptSpec spec = _room.New(["sleep", "1000"], s => s with { TimeoutMs = 300, GraceMs = 1000 });
        _room.Start(spec);

        AttemptRoom.WaitForFile(_room.FilesOf(spec).Exit);

        ExitRecord exit = _room.ExitOf(spec);
        Assert.Equal((ExitCause.TimedOut, Libc.SigTerm), (exit.Cause, exit.Signal));
        Assert.Empty(_room.Marked());
    }

    [Fact]
    public void Paused_time_does_not_count()
    {
        AttemptSpec spec = _room.New(["sh", "-c", "while [ ! -e go ]; do sleep 0.02; done"], s => s with { TimeoutMs = 3000 });
        using LinkPeer peer = _room.StartAndGreet(spec);
        peer.Wait(LinkMessageType.Started);
        peer.Ask(LinkMessageType.Pause);
        peer.Wait(LinkMessageType.Paused);

        // Another job whose time is up later is the clock.
        AttemptSpec clock = _room.New(["sleep", "1000"], s => s with { TimeoutMs = 3200 });
        _room.Start(clock);
        AttemptRoom.WaitForFile(_room.FilesOf(clock).Exit);
        File.WriteAllText(Path.Combine(_room.Folder, "go"), "");
        peer.Ask(LinkMessageType.Resume);
        peer.Wait(LinkMessageType.Resumed);
        Assert.Equal(0, peer.Wait(LinkMessageType.Exited).ExitCode);
        Assert.Equal(["start", "started", "paused", "resumed", "exit"], _room.Events(spec).ConvertAll(e => e.Event));
    }

    [Fact]
    public void Pause_stops_those_who_left_the_group_too_and_resume_lets_them_go_on()
    {
        AttemptSpec spec = _room.New("sh", "-c", Tree);
        using LinkPeer peer = _room.StartAndGreet(spec);
        UntilTreeIsUp();

        peer.Ask(LinkMessageType.Pause);

        // A process stops when it is next given a processor, which may be after the answer.
        AttemptRoom.Until(
            () => _room.Marked() is { Count: 6 } all && all.TrueForAll(static pid => ProcessStat.Of(pid) is { State: 'T' }),
            "all to stand still"
        );
        Assert.Equal("paused", Greeted(spec).State);

        peer.Ask(LinkMessageType.Resume);
        AttemptRoom.Until(() => _room.Marked().TrueForAll(static pid => ProcessStat.Of(pid) is { State: 'S' or 'R' }), "all to go on");
        Assert.Equal("running", Greeted(spec).State);
    }

    [Fact]
    public void A_signal_reaches_the_whole_group()
    {
        AttemptSpec spec = _room.New(
            "sh",
            "-c",
            "trap 'echo parent; exit 0' USR1; sh -c 'trap \"echo child; exit 0\" USR1; echo up; while :; do sleep 0.02; done' & wait; wait"
        );
        using LinkPeer peer = _room.StartAndGreet(spec);
        AttemptRoom.Until(() => _room.Output(spec, JournalChannel.Stdout).Contains("up", StringComparison.Ordinal), "the child to be up");

        Assert.Equal(LinkMessageType.Done, peer.Ask(new LinkMessage { Type = LinkMessageType.Signal, Signal = 10 }).Type);
        peer.Wait(LinkMessageType.Exited);

        string output = _room.Output(spec, JournalChannel.Stdout);
        Assert.Contains("parent", output, StringComparison.Ordinal);
        Assert.Contains("child", output, StringComparison.Ordinal);
        Assert.Equal(LinkCodes.NotRunning, peer.Ask(new LinkMessage { Type = LinkMessageType.Signal, Signal = 10 }).Code);
        Assert.Equal(LinkCodes.NotRunning, peer.Ask(LinkMessageType.Pause).Code);
        Assert.Equal(LinkCodes.NotRunning, peer.Ask(LinkMessageType.Stop).Code);
    }

    /// <summary>The first process says when it has started its own; what those start may still be to come.</summary>
    private void UntilTreeIsUp() =>
        AttemptRoom.Until(() => File.Exists(Path.Combine(_room.Folder, "up")) && _room.Marked().Count == 6, "the tree to be up");

    private static LinkMessage Greeted(AttemptSpec spec)
    {
        using LinkPeer peer = LinkPeer.Connect(spec.Socket!, spec.Nonce);
        return peer.Welcome;
    }
}
