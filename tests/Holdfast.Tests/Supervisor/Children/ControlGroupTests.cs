using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Children;

namespace Holdfast.Tests.Supervisor.Children;

/// <summary>On made-up files: no machine of ours is sure to give a control group away.</summary>
public sealed class ControlGroupTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("holdfast-group").FullName + "/";

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_delegated_folder_beside_our_own_gets_a_group_with_the_limits()
    {
        Put("proc/self/cgroup", "0::/house.service/server\n");
        string group = Group("house.service");

        ControlGroup made = ControlGroup.TryMake(_root, "01k", _ => true)!;
        Assert.True(made.TryLimitMemory(1 << 28));
        Assert.True(made.TryLimitCpu(1500));

        Assert.Equal("268435456", File.ReadAllText(group + "/memory.max"));
        Assert.Equal("1", File.ReadAllText(group + "/memory.oom.group"));
        Assert.Equal("150000 100000", File.ReadAllText(group + "/cpu.max"));
        Assert.Equal("+cpu", File.ReadAllText(_root + "sys/fs/cgroup/house.service/cgroup.subtree_control")[..4]);
        Assert.True(made.TryAdd(4242));
        Assert.Equal("4242", File.ReadAllText(group + "/cgroup.procs"));
        Put("sys/fs/cgroup/house.service/holdfast-01k/memory.events", "oom 1\noom_kill 2\n");
        Assert.Equal(OomEvidence.InOwnLimit, new OomWatch(_root, made.EventsFile).Evidence(new ProcessIdentity("boot", 4242, 1)));
    }

    [Fact]
    public void A_folder_that_was_not_given_to_us_is_left_alone()
    {
        Put("proc/self/cgroup", "0::/house.service/server\n");
        string group = Group("house.service");

        Assert.Null(ControlGroup.TryMake(_root, "01k", _ => false));
        Assert.Equal("", File.ReadAllText(group + "/memory.max"));
    }

    [Theory]
    [InlineData("4:memory:/box\n")]
    [InlineData("0::/\n")]
    public void Without_a_folder_above_our_own_there_is_none(string groups)
    {
        Put("proc/self/cgroup", groups);
        Assert.Null(ControlGroup.TryMake(_root, "01k", _ => true));
    }

    /// <summary>A group as the system makes it: its files are there as soon as the folder is.</summary>
    private string Group(string unit)
    {
        foreach (
            string file in (string[])
                ["memory.max", "memory.oom.group", "cpu.max", "../cgroup.subtree_control", "cgroup.procs", "memory.events"]
        )
        {
            Put($"sys/fs/cgroup/{unit}/holdfast-01k/{file}", "");
        }

        return $"{_root}sys/fs/cgroup/{unit}/holdfast-01k";
    }

    private void Put(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root + path)!);
        File.WriteAllText(_root + path, content);
    }
}
