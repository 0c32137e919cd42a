using System.Text;
using Holdfast.Protocol.Processes;

namespace Holdfast.Tests.Processes;

public sealed class ProcessStatTests
{
    [Theory]
    [InlineData("42 (sleep) S 7 42 41 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654321012 9 10\n", 'S', 987654321012, 7, 41)]
    [InlineData("42 (a) b) (c) Z 1 1 -1 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 5 9\n", 'Z', 5, 1, -1)]
    public void The_fields_stand_after_a_name_that_may_hold_anything(string text, char state, long startTicks, int parent, int session) =>
        Assert.Equal(new ProcessStat(state, startTicks, parent, session), ProcessStat.Parse(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Our_own_process_is_alive_with_its_parent()
    {
        ProcessStat own = ProcessStat.Of(Environment.ProcessId)!;

        Assert.Equal(Libc.GetParentPid(), own.ParentPid);
        Assert.True(ProcessIdentity.Current.IsAlive());
        Assert.False((ProcessIdentity.Current with { StartTicks = 1 }).IsAlive());
        Assert.False((ProcessIdentity.Current with { BootId = "other" }).IsAlive());
    }

    [Fact]
    public void Nobody_is_nothing()
    {
        Assert.Null(ProcessStat.Of(int.MaxValue));
        Assert.Null(ProcessIdentity.Of(int.MaxValue));
        Assert.Null(ProcessStat.Parse("42 (sleep"u8));
    }
}
