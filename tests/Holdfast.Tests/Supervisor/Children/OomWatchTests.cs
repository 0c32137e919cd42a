using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Children;

namespace Holdfast.Tests.Supervisor.Children;

/// <summary>On a made-up /proc, /sys and /dev, for no test may bring the machine to the end of its memory.</summary>
public sealed class OomWatchTests : IDisposable
{
    private static readonly ProcessIdentity Child = new("boot", 4242, StartTicks: 5_000);
    private readonly string _root = Directory.CreateTempSubdirectory("holdfast-oom").FullName + "/";

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Nothing_that_can_be_read_is_no_evidence() => Assert.Equal(OomEvidence.None, new OomWatch(_root).Evidence(Child));

    [Fact]
    public void A_count_of_the_machine_that_rose_is_a_maybe()
    {
        Put("proc/vmstat", "pgfault 5\noom_kill 7\nfoo 1\n");
        var watch = new OomWatch(_root);
        Assert.Equal(OomEvidence.None, watch.Evidence(Child));

        Put("proc/vmstat", "pgfault 5\noom_kill 8\nfoo 1\n");

        Assert.Equal(OomEvidence.SomewhereOnTheMachine, watch.Evidence(Child));
    }

    [Theory]
    [InlineData("0::/user.slice/job\n", "sys/fs/cgroup/user.slice/job/memory.events")]
    [InlineData("5:cpu:/\n4:memory:/box\n0::/\n", "sys/fs/cgroup/memory/box/memory.oom_control")]
    public void A_count_of_our_own_group_that_rose_is_stronger(string groups, string file)
    {
        Put("proc/self/cgroup", groups);
        Put(file, "low 0\noom 3\noom_kill 1\n");
        var watch = new OomWatch(_root);
        Assert.Equal(OomEvidence.None, watch.Evidence(Child));

        Put(file, "low 0\noom 4\noom_kill 2\n");

        Assert.Equal(OomEvidence.InOwnGroup, watch.Evidence(Child));
    }

    [Theory]
    [InlineData("3,900,60000000,-;Out of memory: Killed process 4242 (python3) total-vm:1kB\n", OomEvidence.NamesTheProcess)]
    [InlineData("3,900,60000000,-;Memory cgroup out of memory: Killed process 4242 (x)\n", OomEvidence.NamesTheProcess)]
    [InlineData("3,900,10000000,-;Out of memory: Killed process 4242 (an earlier one)\n", OomEvidence.None)]
    [InlineData("3,900,60000000,-;Out of memory: Killed process 42424 (another)\n", OomEvidence.None)]
    [InlineData("3,900,60000000,-;Started process 4242\n", OomEvidence.None)]
    public void The_kernels_log_names_the_process_and_not_an_earlier_one_of_its_number(string line, OomEvidence expected)
    {
        Put("dev/kmsg", line);

        Assert.Equal(expected, new OomWatch(_root).Evidence(Child));
    }

    private void Put(string path, string content)
    {
        string full = _root + path;
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content);
    }
}
