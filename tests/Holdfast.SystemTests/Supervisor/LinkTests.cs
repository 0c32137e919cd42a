using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;

namespace Holdfast.SystemTests.Supervisor;

/// <summary>The link itself: who is let in, what a new peer is told, and the journal by position.</summary>
public sealed class LinkTests : IDisposable
{
    private readonly AttemptRoom _room = new();

    public void Dispose() => _room.Dispose();

    [Fact]
    public void A_wrong_nonce_is_refused_and_the_work_goes_on()
    {
        AttemptSpec spec = _room.New("sleep", "100");
        _room.Start(spec);
        using LinkPeer stranger = LinkPeer.Connect(spec.Socket!);

        LinkMessage answer = stranger.Hello(spec.Nonce[..^1] + "x");

        Assert.Equal((LinkMessageType.Refused, LinkCodes.NonceMismatch), (answer.Type, answer.Code));
        Assert.True(stranger.IsClosedByPeer());
        using LinkPeer ours = LinkPeer.Connect(spec.Socket!, spec.Nonce);
        Assert.Equal("running", ours.Welcome.State);
    }

    [Fact]
    public void A_peer_too_old_is_told_so_and_one_from_the_future_is_met_at_our_version()
    {
        AttemptSpec spec = _room.New("sleep", "100");
        _room.Start(spec);
        using LinkPeer old = LinkPeer.Connect(spec.Socket!);
        using LinkPeer young = LinkPeer.Connect(spec.Socket!);

        Assert.Equal(LinkCodes.ProtocolUnsupported, old.Hello(spec.Nonce, protocol: 0).Code);
        Assert.Equal(LinkCodec.ProtocolVersion, young.Hello(spec.Nonce, protocol: 99).Protocol);
    }

    [Fact]
    public void Only_the_connection_that_sends_garbage_is_closed()
    {
        AttemptSpec spec = _room.New("sleep", "100");
        using LinkPeer good = _room.StartAndGreet(spec);
        using LinkPeer silent = LinkPeer.Connect(spec.Socket!);
        using LinkPeer impolite = LinkPeer.Connect(spec.Socket!);
        using LinkPeer garbled = LinkPeer.Connect(spec.Socket!, spec.Nonce);
        using LinkPeer endless = LinkPeer.Connect(spec.Socket!);
        using LinkPeer lying = LinkPeer.Connect(spec.Socket!, spec.Nonce);

        impolite.Send(new LinkMessage { Type = LinkMessageType.Ping });
        garbled.SendRaw([8, 0, 0, 0, 2, 0, 4, 0, (byte)'{', (byte)'"', 0xFF, (byte)'}']);
        endless.SendRaw([0, 0, 0, 1, 1, 0, 0, 0]);
        lying.SendRaw([255, 255, 255, 255]);

        Assert.True(impolite.IsClosedByPeer());
        Assert.True(garbled.IsClosedByPeer());
        Assert.True(endless.IsClosedByPeer());
        Assert.True(lying.IsClosedByPeer());
        Assert.True(silent.IsClosedByPeer());
        Assert.Equal(LinkMessageType.Done, good.Ask(LinkMessageType.Ping).Type);
        Assert.Equal(LinkCodes.NotSupported, good.Ask((LinkMessageType)77).Code);
        Assert.Equal(LinkCodes.UnknownRequest, good.Ask((LinkMessageType)177).Code);
    }

    [Fact]
    public void A_connected_socket_may_be_inherited_as_descriptor_three()
    {
        AttemptSpec spec = _room.New("echo", "hello");
        int pid;
        LinkPeer peer;
        unsafe
        {
            int* fds = stackalloc int[2];
            const int unix = 1,
                stream = 1,
                closeOnExec = 0x80000;
            Assert.Equal(0, Libc.SocketPair(unix, stream | closeOnExec, 0, fds));
            peer = LinkPeer.On(fds[0]);
            pid = ChildProcess.Spawn(
                new ChildStart(
                    [SupervisorBinary.Path, "run", _room.FolderOf(spec)],
                    ["DOTNET_EnableDiagnostics=0", "PATH=/usr/bin:/bin"],
                    "/"
                )
                {
                    Extra = fds[1],
                }
            );
            Assert.Equal(0, Libc.Close(fds[1]));
        }

        using (peer)
        {
            Assert.Equal(pid, peer.Hello(spec.Nonce).Pid);
            Assert.Equal(0, peer.Wait(LinkMessageType.Exited).ExitCode);
            Assert.Equal(LinkMessageType.Done, peer.Ask(LinkMessageType.Release).Type);
            Assert.True(peer.IsClosedByPeer());
        }

        unsafe
        {
            int status;
            Assert.Equal(pid, Libc.WaitPid(pid, &status, 0));
            Assert.Equal(0, WaitStatus.Decode(status).ExitCode);
        }
    }

    [Fact]
    public void A_peer_that_comes_back_reads_on_at_its_position()
    {
        AttemptSpec spec = _room.New(
            "sh",
            "-c",
            "i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done; while [ ! -e go ]; do sleep 0.02; done; echo end"
        );
        var bytes = new MemoryStream();
        using (LinkPeer first = _room.StartAndGreet(spec))
        {
            Assert.Equal(LinkMessageType.Done, first.Ask(new LinkMessage { Type = LinkMessageType.Follow }).Type);
            bytes.Write(first.Wait(LinkMessageType.Journal).Body.Span);

            // Gone without a word, in the middle of the stream.
        }

        using LinkPeer second = LinkPeer.Connect(spec.Socket!, spec.Nonce);
        second.Ask(new LinkMessage { Type = LinkMessageType.Follow, Position = bytes.Length });
        File.WriteAllText(Path.Combine(_room.Folder, "go"), "");
        while (true)
        {
            LinkMessage frame = second.Wait(LinkMessageType.Journal);
            Assert.Equal(bytes.Length, frame.Position);
            bytes.Write(frame.Body.Span);
            if (frame.End)
            {
                break;
            }
        }

        string segment = Path.Combine(_room.FilesOf(spec).Journal, "00000000000000000000.hfj");
        Assert.Equal(File.ReadAllBytes(segment), bytes.ToArray());
        Assert.Equal(second.Wait(LinkMessageType.Exited).Position, bytes.Length);
        Assert.EndsWith("2999\nend\n", _room.Output(spec, JournalChannel.Stdout), StringComparison.Ordinal);
    }

    [Fact]
    public void A_journal_is_followed_across_its_segments_also_when_another_job_runs()
    {
        AttemptSpec spec = _room.New("sh", "-c", "yes | head -c 100000000");
        using LinkPeer peer = _room.StartAndGreet(spec);
        long end = peer.Wait(LinkMessageType.Exited).Position;
        AttemptSpec next = _room.New("sleep", "100");
        peer.Ask(new LinkMessage { Type = LinkMessageType.Run, Directory = _room.FolderOf(next) });

        peer.Ask(new LinkMessage { Type = LinkMessageType.Follow, Directory = _room.FolderOf(spec) });
        long position = 0;
        for (LinkMessage frame = peer.Wait(LinkMessageType.Journal); !frame.End; frame = peer.Wait(LinkMessageType.Journal))
        {
            Assert.Equal(position, frame.Position);
            position += frame.Body.Length;
        }

        Assert.Equal(end, position);
        Assert.Equal(2, Directory.GetFiles(_room.FilesOf(spec).Journal, "*.hfj").Length);
        Assert.Equal(LinkMessageType.Done, peer.Ask(LinkMessageType.Unfollow).Type);
    }

    [Fact]
    public void A_peer_that_does_not_read_holds_up_neither_the_job_nor_another_peer()
    {
        AttemptSpec spec = _room.New("sh", "-c", "while [ ! -e go ]; do sleep 0.02; done; yes | head -c 50000000");
        using LinkPeer sleepy = _room.StartAndGreet(spec);
        sleepy.Ask(LinkMessageType.Watch);
        sleepy.Ask(LinkMessageType.Follow);
        using LinkPeer awake = LinkPeer.Connect(spec.Socket!, spec.Nonce);
        File.WriteAllText(Path.Combine(_room.Folder, "go"), "");

        LinkMessage exited = awake.Wait(LinkMessageType.Exited);

        Assert.Equal(0, exited.ExitCode);
        long position = 0;
        for (LinkMessage frame = sleepy.Wait(LinkMessageType.Journal); !frame.End; frame = sleepy.Wait(LinkMessageType.Journal))
        {
            position += frame.Body.Length;
        }

        Assert.Equal(exited.Position, position);
    }

    [Fact]
    public void Growth_is_told_to_who_watches()
    {
        AttemptSpec spec = _room.New(["cat"], s => s with { StandardInput = AttemptSpec.InputPipe });
        using LinkPeer peer = _room.StartAndGreet(spec);
        peer.Wait(LinkMessageType.Started);
        peer.Ask(LinkMessageType.Watch);
        long before = peer.Wait(LinkMessageType.Appended).Position;

        peer.Ask(new LinkMessage { Type = LinkMessageType.StandardInput, Body = "x"u8.ToArray() });

        LinkMessage grown = peer.Wait(LinkMessageType.Appended);
        Assert.True(grown.Position > before);
        Assert.Equal(spec.Attempt, grown.Attempt);
        using JournalReader reader = JournalReader.Open(_room.FilesOf(spec).Journal);
        while (reader.TryRead(out _)) { }

        Assert.Equal(grown.Position, reader.Position);
    }

    [Fact]
    public void The_state_is_told_to_who_comes_late()
    {
        AttemptSpec spec = _room.New("sleep", "100");
        using (LinkPeer peer = _room.StartAndGreet(spec))
        {
            peer.Wait(LinkMessageType.Started);
            peer.Ask(LinkMessageType.Pause);
        }

        using LinkPeer paused = LinkPeer.Connect(spec.Socket!, spec.Nonce);
        Assert.True(paused.Wait(LinkMessageType.Started).Pid > 0);
        Assert.Equal(spec.Attempt, paused.Wait(LinkMessageType.Paused).Attempt);
        paused.Ask(new LinkMessage { Type = LinkMessageType.Stop, Cause = ExitCause.Cancelled });
        paused.Wait(LinkMessageType.Exited);

        using LinkPeer late = LinkPeer.Connect(spec.Socket!, spec.Nonce);
        Assert.Equal("idle", late.Welcome.State);
        Assert.Equal(ExitCause.Cancelled, late.Wait(LinkMessageType.Exited).Cause);
    }

    [Fact]
    public void The_socket_is_the_owners_alone()
    {
        AttemptSpec spec = _room.New("sleep", "100");
        using LinkPeer peer = _room.StartAndGreet(spec);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(spec.Socket!));
    }
}
