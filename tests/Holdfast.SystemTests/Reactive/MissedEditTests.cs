using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Reactive;

/// <summary>An editor saves a reactive notebook while no server is there. Nobody touches the notebook when there is one again.</summary>
public sealed class MissedEditTests
{
    [Fact]
    public async Task What_was_saved_without_a_server_runs_at_its_start_and_nothing_runs_with_an_older_text()
    {
        await using TestServer server = await TestServer.StartAsync();
        var auto = new ReactiveBook(server, "auto", ("x", "x = 1"), ("y", "print('y', x)"), ("apart", "print('apart')"));
        await auto.ModeAsync(isAutorun: true);
        await auto.PutAsync("x", "x = 2");
        await auto.WaitForOutputAsync("y", "y 2\n");

        string gate = server.PathOf("gate"),
            truth = server.PathOf("truth");
        var lazy = new ReactiveBook(
            server,
            "lazy",
            ("slow", $"import os, time\nslow = 1\nwhile not os.path.exists('{gate}'): time.sleep(0.01)"),
            ("below", $"open('{truth}', 'a').write(f'old {{slow}}')")
        );
        await lazy.ModeAsync(isAutorun: false);
        Cascade cascade = await lazy.BeginAsync();
        await cascade.WaitForAsync("slow", "running");

        await server.KillAsync();
        auto.Edit("x", "x = 3");
        auto.Edit("new", "print('new', x)");
        lazy.Edit("below", $"open('{truth}', 'a').write(f'new {{slow}}')");
        await server.StartAgainAsync();

        await auto.WaitForOutputAsync("y", "y 3\n");
        await auto.WaitForOutputAsync("new", "new 3\n");
        Assert.Equal("", auto.Output("apart")); // It was stale before, and is nobody's dependent.
        Assert.Equal("x y new", await auto.LatestPlanAsync());

        await server.Rest.WaitForStateAsync(cascade.Execution("below"), "cancelled");
        File.WriteAllText(gate, "");
        Assert.Equal(
            "slow=succeeded below=cancelled",
            Cascade.Told(
                (await server.Rest.GetAsync($"/v1/notebooks/cascades/{cascade.Id}?timeoutSeconds={Patience.AskedSeconds}")).Must(200).Json
            )
        );
        Assert.False(File.Exists(truth));
        Assert.Equal("slow:fresh below:stale", await lazy.FreshnessAsync());
        Assert.Equal("below=succeeded", await lazy.RunAsync());
        Assert.Equal("new 1", File.ReadAllText(truth));
    }
}
