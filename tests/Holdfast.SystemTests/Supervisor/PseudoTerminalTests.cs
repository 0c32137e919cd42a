using System.Text;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;

namespace Holdfast.SystemTests.Supervisor;

/// <summary>A job on a real terminal: whose it is, what it passes on, and how it ends.</summary>
public sealed class PseudoTerminalTests : IDisposable
{
    private readonly AttemptRoom _room = new();

    public void Dispose() => _room.Dispose();

    [Fact]
    public void The_child_has_a_controlling_terminal_of_the_asked_size_and_its_own_session_is_in_the_foreground()
    {
        AttemptSpec spec = OnTerminal(
            "tty; stty size; echo tpgid $(ps -o tpgid= -p $$) of $$; : > /dev/tty && echo opened; ls /proc/$$/fd",
            s => s with { Rows = 40, Columns = 132 }
        );
        using LinkPeer peer = _room.StartAndGreet(spec);
        int pid = peer.Wait(LinkMessageType.Started).Pid;

        Assert.Equal(0, peer.Wait(LinkMessageType.Exited).ExitCode);
        string[] lines = Screen(spec).Split("\r\n");
        Assert.StartsWith("/dev/pts/", lines[0], StringComparison.Ordinal);
        Assert.Equal(("40 132", $"tpgid {pid} of {pid}", "opened"), (lines[1], lines[2], lines[3]));
        Assert.DoesNotContain(lines, l => l.Contains("ptmx", StringComparison.Ordinal));
        Assert.Equal("", _room.Output(spec, JournalChannel.Stderr));
    }

    [Fact]
    public void Every_byte_of_a_large_output_is_there_though_the_child_ends_at_once()
    {
        AttemptSpec spec = OnTerminal("stty -opost; seq 1 100000");
        using LinkPeer peer = _room.StartAndGreet(spec);

        Assert.Equal(0, peer.Wait(LinkMessageType.Exited).ExitCode);
        Assert.Equal(string.Concat(Enumerable.Range(1, 100_000).Select(i => $"{i}\n")), Screen(spec));
    }

    [Fact]
    public void What_is_typed_is_echoed_and_read_and_control_c_interrupts_the_foreground()
    {
        AttemptSpec spec = _room.New(
            ["bash", "--norc", "-i"],
            s => s with { Pty = true, Environment = [.. s.Environment, "PS1=$ ", "TERM=dumb"] }
        );
        using LinkPeer peer = _room.StartAndGreet(spec);
        Type(peer, "sleep 1000; echo code $((1 + $?))\r");
        UntilRuns("sleep");

        Type(peer, "\x03"); // bash drops the rest of a line whose command was interrupted.
        Type(peer, "echo code $?\r");
        AttemptRoom.Until(() => Screen(spec).Contains("\ncode 130\r", StringComparison.Ordinal), "the interrupt");
        Type(peer, "cat\r");
        UntilRuns("cat");
        Type(peer, "hello\r\x04");
        AttemptRoom.Until(() => Screen(spec).Contains("hello\r\nhello\r\n", StringComparison.Ordinal), "cat's copy");
        Type(peer, "sleep 1000\r");
        UntilRuns("sleep");
        Type(peer, "\x1a");
        Type(peer, "jobs; kill %1; exit 7\r");

        // An interactive shell with a stopped job warns once.
        Type(peer, "exit 7\r");
        Assert.Equal(7, peer.Wait(LinkMessageType.Exited).ExitCode);
        Assert.Contains("Stopped", Screen(spec), StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_size_is_told_to_the_foreground()
    {
        AttemptSpec spec = OnTerminal("trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.02; done");
        using LinkPeer peer = _room.StartAndGreet(spec);
        AttemptRoom.Until(
            () => Directory.Exists(_room.FilesOf(spec).Journal) && Screen(spec).Contains("ready", StringComparison.Ordinal),
            "the trap"
        );

        Assert.Equal(
            LinkCodes.SizeInvalid,
            peer.Ask(
                new LinkMessage
                {
                    Type = LinkMessageType.Resize,
                    Rows = 0,
                    Columns = 80,
                }
            ).Code
        );
        Assert.Equal(
            LinkMessageType.Done,
            peer.Ask(
                new LinkMessage
                {
                    Type = LinkMessageType.Resize,
                    Rows = 51,
                    Columns = 99,
                }
            ).Type
        );

        Assert.Equal(0, peer.Wait(LinkMessageType.Exited).ExitCode);
        Assert.Contains("51 99\r\n", Screen(spec), StringComparison.Ordinal);
        Assert.Equal(
            LinkCodes.NotRunning,
            peer.Ask(
                new LinkMessage
                {
                    Type = LinkMessageType.Resize,
                    Rows = 51,
                    Columns = 99,
                }
            ).Code
        );
    }

    [Fact]
    public void A_job_without_one_has_no_size()
    {
        AttemptSpec spec = _room.New("sleep", "100");
        using LinkPeer peer = _room.StartAndGreet(spec);
        peer.Wait(LinkMessageType.Started);

        Assert.Equal(
            LinkCodes.NotSupported,
            peer.Ask(
                new LinkMessage
                {
                    Type = LinkMessageType.Resize,
                    Rows = 51,
                    Columns = 99,
                }
            ).Code
        );
    }

    [Fact]
    public void Output_by_dev_tty_after_all_descriptors_were_closed_is_kept()
    {
        AttemptSpec spec = OnTerminal("echo one; exec </dev/null >/dev/null 2>&1; sleep 0.3; echo two > /dev/tty");
        using LinkPeer peer = _room.StartAndGreet(spec);

        peer.Wait(LinkMessageType.Exited);
        Assert.Equal("one\r\ntwo\r\n", Screen(spec));
    }

    [Fact]
    public void A_stop_hangs_up_on_an_interactive_shell_and_all_that_it_started()
    {
        AttemptSpec spec = _room.New(["bash", "--norc", "-i"], s => s with { Pty = true });
        using LinkPeer peer = _room.StartAndGreet(spec);
        Type(peer, "sleep 1000 &\rsleep 1000\r");
        AttemptRoom.Until(() => _room.Marked().Count == 3, "both sleeps");

        peer.Ask(
            new LinkMessage
            {
                Type = LinkMessageType.Stop,
                Cause = ExitCause.Cancelled,
                GraceMs = LinkPeer.TimeoutMs,
            }
        );
        LinkMessage exited = peer.Wait(LinkMessageType.Exited);

        // Within the grace: an interactive shell ignores TERM, and would have been killed after it.
        Assert.Equal((ExitCause.Cancelled, Libc.SigHup), (exited.Cause, exited.Signal));
        Assert.Empty(_room.Marked());
    }

    [Fact]
    public void Text_given_with_the_job_is_typed_first_and_ended_by_the_end_of_file_key()
    {
        AttemptSpec spec = OnTerminal(
            "stty -echo; cat; echo over",
            s => s with { StandardInputBytes = Encoding.UTF8.GetBytes("in the line") }
        );
        using LinkPeer peer = _room.StartAndGreet(spec);

        Assert.Equal(0, peer.Wait(LinkMessageType.Exited).ExitCode);
        Assert.EndsWith("in the lineover\r\n", Screen(spec), StringComparison.Ordinal);
    }

    /// <summary>
    /// Until the shell's child is the program itself: before, the shell and not the child has the terminal, and control-C is for it.
    /// </summary>
    private void UntilRuns(string program) =>
        AttemptRoom.Until(
            () =>
                _room
                    .Marked()
                    .Exists(pid => RawFile.Read($"/proc/{pid}/comm") is { } name && Encoding.UTF8.GetString(name) == program + "\n"),
            program + " to run"
        );

    private AttemptSpec OnTerminal(string script, Func<AttemptSpec, AttemptSpec>? change = null) =>
        _room.New(["bash", "-c", script], s => (change ?? (same => same))(s with { Pty = true }));

    private string Screen(AttemptSpec spec) => _room.Output(spec, JournalChannel.Stdout);

    private static void Type(LinkPeer peer, string keys) =>
        Assert.Equal(
            LinkMessageType.Done,
            peer.Ask(new LinkMessage { Type = LinkMessageType.StandardInput, Body = Encoding.UTF8.GetBytes(keys) }).Type
        );
}
