using System.Text.Json.Nodes;
using Holdfast.SystemTests.Servers;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Clients;

/// <summary>
/// @jupyterlab/services, the library that JupyterLab talks to its server with, in Node: what a page does, scenario by scenario.
/// </summary>
public sealed class ServicesTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private readonly TestServer _server = shared.Server;

    [Theory]
    [InlineData("execute")]
    [InlineData("queue", Traits = ["suite", "clients"])]
    [InlineData("questions", Traits = ["suite", "clients"])]
    [InlineData("stdin")]
    [InlineData("comm")]
    [InlineData("display", Traits = ["suite", "clients"])]
    [InlineData("interrupt", Traits = ["suite", "clients"])]
    [InlineData("restart")]
    [InlineData("death")]
    [InlineData("together", Traits = ["suite", "clients"])]
    [InlineData("list", Traits = ["suite", "clients"])]
    public Task It_works_with_kernels(string scenario) => MustPlayAsync("kernels.cjs", scenario);

    [Theory]
    [InlineData("start")]
    [InlineData("sessions")]
    [InlineData("contents")]
    [InlineData("settings")]
    [InlineData("workspaces")]
    [InlineData("terminals")]
    [InlineData("events")]
    [InlineData("nbconvert")]
    public Task It_finds_what_a_page_asks_for(string scenario) => MustPlayAsync("server.cjs", scenario);

    /// <summary>
    /// Goal: the promise to people. Method: the library runs a loop with a cell behind it, then a cell that ends unseen, then a question,
    /// and the server is killed under each. Every future completes with all of its messages. Once it is refused in between, after which the
    /// library waits for long, and so its clock is hastened; and once a service manager keeps the socket, and it is not.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Its_futures_complete_when_the_server_is_killed_under_them(bool isSocketKept)
    {
        await using SocketKeeper manager = await SocketKeeper.StartAsync();
        await using TestServer server = await TestServer.StartAsync(
            new TestServerOptions { KeepsPort = true, Wrapper = isSocketKept ? manager.Wrapper : [] }
        );
        await using var client = OutsideProcess.Node(
            server.Folder,
            "reconnect.cjs",
            server.Rest.Url,
            server.Rest.Token,
            isSocketKept ? "in real time" : "hastened"
        );
        for (int kills = 0; await client.HearAsync("{\"kill\"") is { } told; kills++)
        {
            await server.KillAsync();
            if (told.Contains("wait", StringComparison.Ordinal))
            {
                await Patience.UntilAsync(() => File.Exists(server.PathOf("ended")), "the cell ended while nobody was there");
            }

            await server.StartAgainAsync();
            await client.TellAsync("restarted");
        }

        await client.MustSucceedAsync();
        Assert.DoesNotContain("disposed", client.Said, StringComparison.Ordinal);
    }

    private async Task MustPlayAsync(string script, string scenario)
    {
        await using var client = OutsideProcess.Node(_server.Folder, script, _server.Rest.Url, _server.Rest.Token, scenario);
        string? outcome = await client.HearAsync("{\"scenario\"");
        Assert.True(outcome is not null && (bool)JsonNode.Parse(outcome)!["ok"]!, outcome + client.Said);
    }
}
