using System.Diagnostics;
using Holdfast.Protocol.Processes;

namespace Holdfast.Tests.Processes;

public sealed class ProcessIdentityTests
{
    [Fact]
    public void A_reused_pid_is_another_process()
    {
        ProcessIdentity self = ProcessIdentity.Current;
        Assert.True(self.IsAlive());
        Assert.False((self with { StartTicks = self.StartTicks - 1 }).IsAlive());
        Assert.False((self with { BootId = "another" }).IsAlive());
        Assert.Null(ProcessIdentity.Of(int.MaxValue));
    }

    [Fact]
    public async Task A_process_that_ended_is_not_alive_and_a_name_with_parentheses_does_not_confuse()
    {
        string directory = Directory.CreateTempSubdirectory("hf-").FullName;
        string strange = Path.Combine(directory, "a) S 1 (b c");
        // Not a copy: what was just written may be busy in a child that another test is starting.
        File.CreateSymbolicLink(strange, "/bin/sleep");
        using Process child = Process.Start(strange, "600");
        ProcessIdentity identity = ProcessIdentity.Of(child.Id)!.Value;
        Assert.True(identity.IsAlive());
        Assert.Equal(Environment.ProcessId, ProcessStat.Of(child.Id)!.ParentPid);

        child.Kill();
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.False(identity.IsAlive());
        Directory.Delete(directory, recursive: true);
    }
}
