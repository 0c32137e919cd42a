using System.Diagnostics;
using System.Globalization;
using System.Text;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Link;

namespace Holdfast.SystemTests.Supervisor;

/// <summary>
/// Goal: a full disk delays and loses nothing. Method: the attempt lies on a small tmpfs of the supervisor's own mount namespace with a
/// filler in it; the job says more than fits, the filler is removed through /proc/PID/root, and everything must be there once, in order.
/// </summary>
public sealed class DiskFullTests : IDisposable
{
    private readonly AttemptRoom _room = new();

    public void Dispose() => _room.Dispose();

    [Theory]
    [InlineData("seq 1 600000")]
    [InlineData("seq 1 600000; exit 7")]
    public void A_full_disk_stops_the_reading_and_nothing_is_lost_or_doubled(string command)
    {
        AttemptSpec spec = _room.New("sh", "-c", command);
        using Process supervisor = StartOnSmallDisk(spec);
        using LinkPeer peer = LinkPeer.Connect(spec.Socket!, spec.Nonce);
        string root = string.Create(CultureInfo.InvariantCulture, $"/proc/{peer.Welcome.Pid}/root{_room.FolderOf(spec)}");

        LinkMessage stalled = peer.Wait(LinkMessageType.Stalled);
        using (LinkPeer late = LinkPeer.Connect(spec.Socket!, spec.Nonce))
        {
            Assert.Equal(spec.Attempt, late.Wait(LinkMessageType.Stalled).Attempt);
        }

        Assert.Equal(LinkMessageType.Done, peer.Ask(LinkMessageType.Ping).Type);
        Assert.False(File.Exists(root + "/exit.json"));
        File.Delete(root + "/filler");

        peer.Wait(LinkMessageType.Unstalled);
        LinkMessage exited = peer.Wait(LinkMessageType.Exited);
        Assert.NotEmpty(stalled.Reason!);
        Assert.Equal(command.Contains("exit 7", StringComparison.Ordinal) ? 7 : 0, exited.ExitCode);
        Assert.Equal(Numbers(), AttemptRoom.Output(root + "/journal", JournalChannel.Stdout));
        Assert.True(File.Exists(root + "/exit.json"));
        peer.Ask(LinkMessageType.Release);
        Assert.True(supervisor.WaitForExit(LinkPeer.TimeoutMs));
    }

    [Fact]
    public void A_stalled_job_can_be_stopped_and_its_end_is_recorded_when_there_is_room()
    {
        AttemptSpec spec = _room.New("yes");
        using Process supervisor = StartOnSmallDisk(spec);
        using LinkPeer peer = LinkPeer.Connect(spec.Socket!, spec.Nonce);
        string root = string.Create(CultureInfo.InvariantCulture, $"/proc/{peer.Welcome.Pid}/root{_room.FolderOf(spec)}");
        peer.Wait(LinkMessageType.Stalled);

        peer.Ask(
            new LinkMessage
            {
                Type = LinkMessageType.Stop,
                Cause = ExitCause.Cancelled,
                GraceMs = 500,
            }
        );
        AttemptRoom.Until(() => _room.Marked().Count == 0, "the tree to be ended");
        File.Delete(root + "/filler");

        Assert.Equal(ExitCause.Cancelled, peer.Wait(LinkMessageType.Exited).Cause);
        ExitRecord exit = ExitRecord.Read(File.ReadAllBytes(root + "/exit.json"));
        Assert.Equal(exit.StdoutBytes, AttemptRoom.Output(root + "/journal", JournalChannel.Stdout).Length);
        peer.Ask(LinkMessageType.Release);
        Assert.True(supervisor.WaitForExit(LinkPeer.TimeoutMs));
    }

    private Process StartOnSmallDisk(AttemptSpec spec)
    {
        string folder = _room.FolderOf(spec);
        string copy = Path.Combine(_room.Folder, spec.Attempt + ".spec");
        File.Copy(_room.FilesOf(spec).Spec, copy);
        string script =
            $"mount -t tmpfs -o size=6m none {folder} && cp {copy} {folder}/spec.json && dd if=/dev/zero of={folder}/filler bs=1M count=5 2>/dev/null && exec {SupervisorBinary.Path} run {folder}";
        Assert.SkipUnless(CanMount(), "This system lets us make no mount namespace of our own, so there is no small disk to fill.");
        return Process.Start("unshare", ["-rm", "sh", "-c", script]);
    }

    private static bool CanMount()
    {
        using Process probe = Process.Start("unshare", ["-rm", "sh", "-c", "mount -t tmpfs none /mnt 2>/dev/null"]);
        probe.WaitForExit();
        return probe.ExitCode == 0;
    }

    private static string Numbers()
    {
        var text = new StringBuilder();
        for (int i = 1; i <= 600_000; i++)
        {
            text.Append(i).Append('\n');
        }

        return text.ToString();
    }
}
