using System.Diagnostics;
using System.Text;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;

namespace Holdfast.SystemTests.Supervisor;

/// <summary>A job from its spec to its exit record, through the real supervisor.</summary>
public sealed class JobLifeTests : IDisposable
{
    private readonly AttemptRoom _room = new();

    public void Dispose() => _room.Dispose();

    [Fact]
    public void Output_of_both_channels_is_journalled_in_order_and_the_end_is_told()
    {
        AttemptSpec spec = _room.New("sh", "-c", "i=0; while [ $i -lt 500 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; exit 3");
        using LinkPeer peer = _room.StartAndGreet(spec);

        LinkMessage started = peer.Wait(LinkMessageType.Started);
        LinkMessage exited = peer.Wait(LinkMessageType.Exited);

        Assert.True(started.Pid > 0 && started.StartTicks > 0);
        Assert.Equal((3, ExitCause.Exited, spec.Attempt), (exited.ExitCode, exited.Cause, exited.Attempt));
        Assert.Equal(Lines("out"), _room.Output(spec, JournalChannel.Stdout));
        Assert.Equal(Lines("err"), _room.Output(spec, JournalChannel.Stderr));
        Assert.Equal(["start", "started", "exit"], _room.Events(spec).ConvertAll(e => e.Event));
        ExitRecord exit = _room.ExitOf(spec);
        Assert.Equal(exit, _room.Events(spec)[^1].Exit);
        Assert.Equal((3, Lines("out").Length, Lines("err").Length), (exit.ExitCode, exit.StdoutBytes, exit.StderrBytes));
        ChildRecord child = ChildRecord.Read(File.ReadAllBytes(_room.FilesOf(spec).Child));
        Assert.Equal((started.Pid, started.StartTicks), (child.Process.Pid, child.Process.StartTicks));
    }

    [Fact]
    public void The_child_gets_the_environment_of_its_spec_its_mark_a_session_of_its_own_and_default_signals()
    {
        AttemptSpec spec = _room.New(
            ["sh", "-c", "env | sort; grep -E 'SigIgn|SigBlk' /proc/self/status; ls -l /proc/self/fd; cut -d' ' -f1,5,6 /proc/$$/stat"],
            s => s with { Environment = ["PATH=/usr/bin:/bin", "GREETING=hello there"] }
        );
        using LinkPeer peer = _room.StartAndGreet(spec);
        int pid = peer.Wait(LinkMessageType.Started).Pid;
        peer.Wait(LinkMessageType.Exited);

        string output = _room.Output(spec, JournalChannel.Stdout);
        Assert.Contains("GREETING=hello there\n", output, StringComparison.Ordinal);
        Assert.Contains($"HOLDFAST_ATTEMPT={spec.Attempt}:{spec.Nonce[..16]}\n", output, StringComparison.Ordinal);
        Assert.DoesNotContain("DOTNET", output, StringComparison.Ordinal);
        // 32 and 33 are the C library's own, which its posix_spawn leaves ignored.
        Assert.Matches("SigIgn:\t0000000180000000|SigIgn:\t0000000000000000", output);
        Assert.Contains("SigBlk:\t0000000000000000", output, StringComparison.Ordinal);
        Assert.DoesNotContain(".sock", output, StringComparison.Ordinal);
        Assert.DoesNotContain("journal", output, StringComparison.Ordinal);
        Assert.EndsWith($"{pid} {pid} {pid}\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Its_starter_may_be_killed_and_the_job_goes_on()
    {
        AttemptSpec spec = _room.New("sh", "-c", "while [ ! -e go ]; do sleep 0.02; done; echo done");
        string pidFile = Path.Combine(_room.Folder, "starter");
        using Process starter = Process.Start(
            "setsid",
            ["sh", "-c", $"{SupervisorBinary.Path} run {_room.FolderOf(spec)} & echo $$ > {pidFile}; sleep 100"]
        );
        int group = int.Parse(AttemptRoom.WaitForFile(pidFile), System.Globalization.CultureInfo.InvariantCulture);
        AttemptRoom.WaitForFile(_room.FilesOf(spec).Child);

        Assert.Equal(0, Libc.Kill(-group, Libc.SigKill));
        starter.WaitForExit();
        File.WriteAllText(Path.Combine(_room.Folder, "go"), "");

        using LinkPeer peer = LinkPeer.Connect(spec.Socket!, spec.Nonce);
        Assert.Equal(0, peer.Wait(LinkMessageType.Exited).ExitCode);
        Assert.Equal("done\n", _room.Output(spec, JournalChannel.Stdout));
        Assert.Null(peer.Ask(LinkMessageType.Release).Code);
    }

    [Theory]
    [InlineData("no-such-command", 127, "no-such-command")]
    [InlineData("/etc/passwd", 126, "/etc/passwd")]
    [InlineData("/etc", 126, "/etc")]
    [InlineData("./missing", 127, "./missing")]
    public void A_command_that_cannot_be_started_ends_as_a_shell_would_say(string command, int exitCode, string named)
    {
        AttemptSpec spec = _room.New(command);
        using LinkPeer peer = _room.StartAndGreet(spec);

        LinkMessage exited = peer.Wait(LinkMessageType.Exited);

        Assert.Equal((exitCode, ExitCause.NotStarted), (exited.ExitCode, exited.Cause));
        Assert.Contains(named, exited.Reason, StringComparison.Ordinal);
        Assert.False(File.Exists(_room.FilesOf(spec).Child));
        Assert.Equal(ExitCause.NotStarted, _room.ExitOf(spec).Cause);
    }

    [Fact]
    public void A_folder_that_does_not_exist_is_named()
    {
        AttemptSpec spec = _room.New(["true"], s => s with { Cwd = "/no/such/folder" });
        using LinkPeer peer = _room.StartAndGreet(spec);

        LinkMessage exited = peer.Wait(LinkMessageType.Exited);

        Assert.Equal((125, ExitCause.NotStarted), (exited.ExitCode, exited.Cause));
        Assert.Contains("/no/such/folder", exited.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void The_command_is_looked_for_in_the_childs_own_path()
    {
        string script = Path.Combine(_room.Folder, "own-command");
        File.WriteAllText(script, "#!/bin/sh\necho \"$0\" \"$@\"\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        AttemptSpec spec = _room.New(["own-command", "x"], s => s with { Environment = ["PATH=/bin:."] });
        using LinkPeer peer = _room.StartAndGreet(spec);

        Assert.Equal(0, peer.Wait(LinkMessageType.Exited).ExitCode);
        Assert.Equal("./own-command x\n", _room.Output(spec, JournalChannel.Stdout));
    }

    [Fact]
    public void Standard_input_is_given_in_pieces_and_ended()
    {
        AttemptSpec spec = _room.New(
            ["cat"],
            s => s with { StandardInput = AttemptSpec.InputPipe, StandardInputBytes = "first\n"u8.ToArray() }
        );
        using LinkPeer peer = _room.StartAndGreet(spec);
        peer.Wait(LinkMessageType.Started);

        LinkMessage taken = peer.Ask(new LinkMessage { Type = LinkMessageType.StandardInput, Body = "second\n"u8.ToArray() });
        LinkMessage ended = peer.Ask(
            new LinkMessage
            {
                Type = LinkMessageType.StandardInput,
                Body = "third\n"u8.ToArray(),
                End = true,
            }
        );
        LinkMessage late = peer.Ask(new LinkMessage { Type = LinkMessageType.StandardInput, Body = "late\n"u8.ToArray() });

        Assert.Equal((LinkMessageType.Done, LinkMessageType.Done), (taken.Type, ended.Type));
        Assert.Contains(late.Code, (string[])[LinkCodes.InputClosed, LinkCodes.NotRunning]);
        Assert.Equal(0, peer.Wait(LinkMessageType.Exited).ExitCode);
        Assert.Equal("first\nsecond\nthird\n", _room.Output(spec, JournalChannel.Stdout));
    }

    [Fact]
    public void Standard_input_that_nobody_reads_is_refused_at_its_bound_and_the_rest_still_arrives()
    {
        AttemptSpec spec = _room.New(
            ["sh", "-c", "while [ ! -e go ]; do sleep 0.02; done; wc -c"],
            s => s with { StandardInput = AttemptSpec.InputPipe }
        );
        using LinkPeer peer = _room.StartAndGreet(spec);
        peer.Wait(LinkMessageType.Started);
        byte[] piece = new byte[256 * 1024];
        int taken = 0;
        LinkMessage answer;
        while ((answer = peer.Ask(new LinkMessage { Type = LinkMessageType.StandardInput, Body = piece })).Type == LinkMessageType.Done)
        {
            taken++;
            Assert.True(taken < 100);
        }

        Assert.Equal(LinkCodes.InputFull, answer.Code);
        File.WriteAllText(Path.Combine(_room.Folder, "go"), "");
        AttemptRoom.Until(
            () => peer.Ask(new LinkMessage { Type = LinkMessageType.StandardInput, End = true }).Type == LinkMessageType.Done,
            "room for the end"
        );
        peer.Wait(LinkMessageType.Exited);
        Assert.Equal($"{taken * piece.Length}\n", _room.Output(spec, JournalChannel.Stdout));
    }

    [Fact]
    public void Fifty_jobs_run_one_after_another_in_one_supervisor()
    {
        AttemptSpec first = _room.New("true");
        Process supervisor = _room.Start(first);
        using LinkPeer peer = LinkPeer.Connect(first.Socket!, first.Nonce);
        peer.Wait(LinkMessageType.Started);
        peer.Wait(LinkMessageType.Exited);
        for (int i = 1; i < 50; i++)
        {
            AttemptSpec spec = _room.New("sh", "-c", $"echo {i}");
            LinkMessage taken = peer.Ask(new LinkMessage { Type = LinkMessageType.Run, Directory = _room.FolderOf(spec) });
            Assert.Equal(LinkMessageType.Done, taken.Type);
            Assert.Equal(spec.Attempt, peer.Wait(LinkMessageType.Started).Attempt);
            Assert.Equal(spec.Attempt, peer.Wait(LinkMessageType.Exited).Attempt);
            Assert.Equal($"{i}\n", _room.Output(spec, JournalChannel.Stdout));
            SupervisorRecord record = SupervisorRecord.Read(File.ReadAllBytes(_room.FilesOf(spec).Supervisor));
            Assert.Equal((supervisor.Id, first.Socket, spec.Nonce), (record.Process.Pid, record.Socket, record.Nonce));
        }

        // Descriptors are not left open by the jobs that have ended.
        Assert.InRange(Directory.GetFiles($"/proc/{supervisor.Id}/fd").Length, 1, 60);
        Assert.Equal(LinkMessageType.Done, peer.Ask(LinkMessageType.Release).Type);
        Assert.True(supervisor.WaitForExit(LinkPeer.TimeoutMs));
        Assert.Equal(0, supervisor.ExitCode);
        Assert.False(File.Exists(first.Socket));
    }

    [Fact]
    public void A_running_job_keeps_its_supervisor_from_taking_another_or_leaving()
    {
        AttemptSpec spec = _room.New("sleep", "100");
        using LinkPeer peer = _room.StartAndGreet(spec);
        peer.Wait(LinkMessageType.Started);

        LinkMessage run = peer.Ask(new LinkMessage { Type = LinkMessageType.Run, Directory = _room.FolderOf(_room.New("true")) });
        LinkMessage release = peer.Ask(LinkMessageType.Release);

        Assert.Equal((LinkCodes.NotIdle, LinkCodes.NotIdle), (run.Code, release.Code));
    }

    [Fact]
    public void An_attempt_is_taken_once_ever()
    {
        AttemptSpec spec = _room.New("sh", "-c", "echo ran >> runs");
        using LinkPeer peer = _room.StartAndGreet(spec);
        peer.Wait(LinkMessageType.Exited);

        LinkMessage again = peer.Ask(new LinkMessage { Type = LinkMessageType.Run, Directory = _room.FolderOf(spec) });
        Process second = _room.Start(spec);
        Assert.True(second.WaitForExit(LinkPeer.TimeoutMs));

        Assert.Equal(LinkCodes.AlreadyTaken, again.Code);
        Assert.NotEqual(0, second.ExitCode);
        Assert.Equal("ran\n", File.ReadAllText(Path.Combine(_room.Folder, "runs")));
    }

    [Fact]
    public void Killing_the_supervisor_frees_the_lock_at_once_and_leaves_the_child_to_be_found()
    {
        AttemptSpec spec = _room.New("sleep", "100");
        Process supervisor = _room.Start(spec);
        AttemptRoom.WaitForFile(_room.FilesOf(spec).Child);
        Assert.True(FileLock.IsHeld(_room.FilesOf(spec).Lock));

        supervisor.Kill();
        supervisor.WaitForExit();

        Assert.False(FileLock.IsHeld(_room.FilesOf(spec).Lock));
        Assert.False(File.Exists(_room.FilesOf(spec).Exit));
        ProcessIdentity child = ChildRecord.Read(File.ReadAllBytes(_room.FilesOf(spec).Child)).Process;
        Assert.True(child.IsAlive());
        Assert.Equal([child.Pid], _room.Marked());
    }

    [Fact]
    public void A_descendant_that_holds_the_output_delays_the_end_by_the_grace_and_no_more()
    {
        AttemptSpec spec = _room.New("sh", "-c", "(sleep 0.3; echo late; exec sleep 100) & echo early");
        Process supervisor = _room.Start(spec);
        using LinkPeer peer = LinkPeer.Connect(spec.Socket!, spec.Nonce);

        LinkMessage exited = peer.Wait(LinkMessageType.Exited);
        LinkMessage run = peer.Ask(new LinkMessage { Type = LinkMessageType.Run, Directory = _room.FolderOf(_room.New("true")) });

        Assert.Equal(0, exited.ExitCode);
        Assert.True(_room.ExitOf(spec).OutputStillOpen);
        Assert.Equal("early\nlate\n", _room.Output(spec, JournalChannel.Stdout));
        Assert.Single(_room.Marked());

        // What a job leaves behind must not come to be the next one's.
        Assert.Equal(LinkCodes.Leaving, run.Code);
        peer.Dispose();
        Assert.True(supervisor.WaitForExit(LinkPeer.TimeoutMs));
    }

    [Fact]
    public void A_daemon_that_lets_go_of_the_output_lives_on_after_the_job()
    {
        AttemptSpec spec = _room.New("sh", "-c", "setsid sleep 100 > /dev/null 2>&1 & echo started");
        using LinkPeer peer = _room.StartAndGreet(spec);

        peer.Wait(LinkMessageType.Exited);

        Assert.False(_room.ExitOf(spec).OutputStillOpen);
        Assert.Single(_room.Marked());
    }

    [Fact]
    public void Much_output_arrives_whole()
    {
        const int bytes = 64 * 1024 * 1024;
        AttemptSpec spec = _room.New("sh", "-c", $"yes 0123456789abcde | head -c {bytes}");
        using LinkPeer peer = _room.StartAndGreet(spec);
        peer.Wait(LinkMessageType.Exited);

        using JournalReader reader = JournalReader.Open(_room.FilesOf(spec).Journal);
        long total = 0;
        ReadOnlySpan<byte> line = "0123456789abcde\n"u8;
        while (reader.TryRead(out JournalRecord record))
        {
            if (record.Channel == JournalChannel.Stdout)
            {
                Assert.Equal(total, record.StreamOffset);
                ReadOnlySpan<byte> payload = record.Payload.Span;
                Assert.Equal(line[(int)(total % 16)], payload[0]);
                Assert.Equal(line[(int)((total + payload.Length - 1) % 16)], payload[^1]);
                total += payload.Length;
            }
        }

        Assert.Equal(bytes, total);
        Assert.Equal(bytes, _room.ExitOf(spec).StdoutBytes);
    }

    [Fact]
    public void A_kill_that_was_not_ours_is_told_from_an_exit()
    {
        AttemptSpec spec = _room.New("sleep", "100");
        using LinkPeer peer = _room.StartAndGreet(spec);
        int pid = peer.Wait(LinkMessageType.Started).Pid;

        Assert.Equal(0, Libc.Kill(pid, Libc.SigKill));

        LinkMessage exited = peer.Wait(LinkMessageType.Exited);
        Assert.Equal((Libc.SigKill, null), (exited.Signal, exited.ExitCode));
        Assert.Contains(exited.Cause, (string[])[ExitCause.Signalled, ExitCause.MaybeOutOfMemory]);
        Assert.Contains("memory", exited.Reason, StringComparison.Ordinal);
    }

    private static string Lines(string word)
    {
        var lines = new StringBuilder();
        for (int i = 0; i < 500; i++)
        {
            lines.Append(word).Append(' ').Append(i).Append('\n');
        }

        return lines.ToString();
    }
}
