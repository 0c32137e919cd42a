namespace Holdfast.Tests.Cli;

/// <summary>The unit that keeps work alive.</summary>
public sealed class InstallServiceVerbTests
{
    [Fact]
    public async Task The_unit_leaves_work_alone_when_the_server_stops_and_is_active_when_it_has_recovered()
    {
        var cli = new CliRun();

        Assert.Equal(0, await cli.RunAsync("install-service", "--user", "--print", "--data", "/a b/100%", "--root", "/r", "--port", "99"));

        string[] lines = cli.Terminal.Output.Split('\n');
        Assert.Contains("KillMode=process", lines);
        Assert.Contains("Type=notify", lines);
        Assert.Contains("StartLimitIntervalSec=0", lines.TakeWhile(static l => l != "[Service]"));
        Assert.Contains("Restart=on-failure", lines);
        Assert.Contains("OOMPolicy=continue", lines);
        Assert.Contains("DelegateSubgroup=server", lines);
        Assert.Contains("FileDescriptorStoreMax=8", lines);
        Assert.Contains("WantedBy=default.target", lines);
        Assert.EndsWith(
            " serve --data \"/a b/100%%\" --root \"/r\" --port 99",
            lines.Single(static l => l.StartsWith("ExecStart=", StringComparison.Ordinal)),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(lines, static l => l.StartsWith("User=", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_else_serve_is_to_be_given_goes_into_the_unit_and_a_mistake_in_it_is_told_at_once()
    {
        var cli = new CliRun();

        Assert.Equal(
            0,
            await cli.RunAsync(
                "install-service",
                "--print",
                "--data",
                "/d",
                "--root",
                "/r",
                "--",
                "--host",
                "0.0.0.0",
                "--keep-output",
                "30d"
            )
        );
        Assert.Contains(
            "serve --data \"/d\" --root \"/r\" \"--host\" \"0.0.0.0\" \"--keep-output\" \"30d\"\n",
            cli.Terminal.Output,
            StringComparison.Ordinal
        );

        Assert.Equal(2, await cli.RunAsync("install-service", "--print", "--", "--hots", "0.0.0.0"));
        Assert.Contains("There is no option --hots of holdfast serve; perhaps --host.", cli.Terminal.Error, StringComparison.Ordinal);
    }
}
