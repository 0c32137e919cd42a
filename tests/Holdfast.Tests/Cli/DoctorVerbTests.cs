using Holdfast.Engine.Store;
using Holdfast.Server.Cli.Doctor;

namespace Holdfast.Tests.Cli;

public sealed class DoctorVerbTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("holdfast-doctor-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Theory]
    [InlineData("0::/system.slice/holdfast.service\n", "holdfast.service")]
    [InlineData("0::/user.slice/user-1000.slice/session-3.scope\n", null)]
    [InlineData("0::/\n", null)]
    public void The_unit_is_the_last_part_of_the_control_group(string cgroups, string? unit) => Assert.Equal(unit, ServiceUnit.UnitOf(cgroups));

    [Theory]
    [InlineData("process", "[Service]\nKillMode=process\n")]
    [InlineData("mixed", "[Service]\nKillMode=process", "[Service]\nKillMode = mixed\n")]
    [InlineData(null, "[Service]\nExecStart=x\n#KillMode=process\n")]
    public void The_last_KillMode_counts(string? mode, params string[] texts) => Assert.Equal(mode, ServiceUnit.KillMode(texts));

    [Fact]
    public async Task A_damaged_store_is_a_problem()
    {
        File.SetUnixFileMode(_data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await File.WriteAllTextAsync(new DataDirectoryPaths(_data).Database, "This is no database, and long enough to be read as one: it has a header of its own.", TestContext.Current.CancellationToken);
        var cli = new CliRun();

        Assert.Equal(1, await cli.RunAsync("doctor", "--data", _data));
        Assert.Contains("PROBLEM store", cli.Terminal.Output, StringComparison.Ordinal);
        Assert.Contains("-> ", cli.Terminal.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_that_others_can_read_is_a_problem()
    {
        var paths = new DataDirectoryPaths(_data);
        File.WriteAllText(paths.Token, "secret");
        File.SetUnixFileMode(paths.Token, UnixFileMode.UserRead | UnixFileMode.OtherRead);

        Finding finding = Assert.Single(DataDirectoryChecks.All(paths), f => f.Subject == "token");
        Assert.Equal((Severity.Problem, $"chmod 600 {paths.Token}"), (finding.Severity, finding.Remedy));
    }

    [Fact]
    public void A_directory_to_be_made_is_judged_by_the_one_it_will_lie_in() =>
        Assert.Contains(DataDirectoryChecks.All(new DataDirectoryPaths(Path.Combine(_data, "a", "b"))), f => f.Severity == Severity.Ok && f.Text.EndsWith("can be made", StringComparison.Ordinal));

    [Fact]
    public void A_kernelspec_whose_command_is_missing_is_a_problem()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_data, "kernels", "ghost")).FullName;
        File.WriteAllText(Path.Combine(folder, "kernel.json"), """{"argv":["no-such-program","{connection_file}"],"display_name":"Ghost","language":"none"}""");

        Assert.Contains(MachineChecks.Kernels(name => name == "JUPYTER_PATH" ? _data : null), f => f.Severity == Severity.Problem && f.Text.Contains("no-such-program", StringComparison.Ordinal));
    }
}
