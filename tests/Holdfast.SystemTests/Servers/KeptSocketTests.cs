using Holdfast.SystemTests.Jupyter;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Servers;

/// <summary>A server whose listening socket is kept by a service manager while it is not there.</summary>
public sealed class KeptSocketTests
{
    [Fact]
    public async Task Who_comes_while_no_server_is_there_waits_for_the_next_one()
    {
        await using SocketKeeper manager = await SocketKeeper.StartAsync();
        await using TestServer server = await TestServer.StartAsync(new TestServerOptions { Wrapper = manager.Wrapper });
        string kernel = await KernelSocket.StartKernelAsync(server);
        using var caller = new RestClient(server.Rest.Url, server.Rest.Token);

        await server.KillAsync();
        Task<RestReply> asking = caller.GetAsync("/api");
        Task<KernelSocket> opening = KernelSocket.OpenAsync(server, kernel, "the session");
        await server.StartAgainAsync();

        Assert.Equal(caller.Url, server.Rest.Url); // Though it was told to take any port.
        (await asking).Must(200);
        using KernelSocket socket = await opening; // During recovery, too: a handshake is not turned away.
        string cell = await socket.ExecuteAsync("1"); // A kernel that is idle already says nothing by itself.
        await socket.ReadUntilAsync(m => m.State == "idle" && m.ParentId == cell);
        Assert.Contains("FDSTORE=1", manager.Heard, StringComparison.Ordinal);
        Assert.DoesNotContain("FDSTOREREMOVE=1", manager.Heard, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_told_another_address_gives_the_old_one_up()
    {
        await using SocketKeeper manager = await SocketKeeper.StartAsync();
        await using TestServer server = await TestServer.StartAsync(new TestServerOptions { Wrapper = manager.Wrapper });
        using var old = new RestClient(server.Rest.Url, server.Rest.Token);

        await server.KillAsync();
        await server.StartAgainAsync(new TestServerOptions { Wrapper = manager.Wrapper, Arguments = ["--host", "127.0.0.2"] });

        Assert.StartsWith("http://127.0.0.2:", server.Rest.Url, StringComparison.Ordinal);
        await Patience.UntilAsync(
            () => manager.Heard.Contains("FDSTOREREMOVE=1", StringComparison.Ordinal),
            "the manager was told to let go"
        );
        await Assert.ThrowsAsync<HttpRequestException>(() => old.GetAsync("/api"));
    }
}
