using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jupyter;

/// <summary>Who comes when, and in whose place: a session that moves to another connection, and what a newcomer hears.</summary>
public sealed class TakeoverTests(SharedServer shared) : IClassFixture<SharedServer>
{
    /// <summary>
    /// Goal: whoever comes back takes over from a connection of which nobody knows yet that it is dead. Method: the first one has read all
    /// there is and never answers its close; the second one gets what comes then, and nothing else.
    /// </summary>
    [Fact]
    public async Task A_client_that_has_gone_silent_is_succeeded_without_a_gap_or_a_line_twice()
    {
        string kernel = await KernelSocket.StartKernelAsync(shared.Server);
        string go = shared.Server.PathOf("go");
        using KernelSocket silent = await KernelSocket.OpenAsync(shared.Server, kernel, "one");
        string id = await silent.ExecuteAsync(
            $"import os,time\nfor i in range(40):\n    print(i,flush=True)\n    while i == 19 and not os.path.exists('{go}'): time.sleep(0.01)"
        );
        await silent.ReadTextAsync("\n19\n", id);
        Task<SocketMessage?> pending = silent.ReadAsync(); // So that it answers pings, as it did until its network was cut.

        using KernelSocket next = await KernelSocket.OpenAsync(shared.Server, kernel, "one");
        await File.WriteAllTextAsync(go, "", TestContext.Current.CancellationToken);
        Assert.Equal(string.Concat(Enumerable.Range(20, 20).Select(static i => $"{i}\n")), await next.ReadCellAsync(id));
        Assert.Null(await pending);
    }

    /// <summary>
    /// Goal: an answer to our close is no goodbye. Method: a client without a session answers the close of a server that stops, and what
    /// the kernel says then is there for whoever comes without a session to the next server.
    /// </summary>
    [Fact]
    public async Task A_client_without_a_session_that_answers_the_close_of_a_server_is_waited_for()
    {
        await using TestServer server = await TestServer.StartAsync();
        string kernel = await KernelSocket.StartKernelAsync(server);
        string go = server.PathOf("go");
        string id;
        using (KernelSocket first = await KernelSocket.OpenAsync(server, kernel, "s", isNameless: true))
        {
            id = await first.ExecuteAsync($"import os,time\nprint('a')\nwhile not os.path.exists('{go}'): time.sleep(0.01)\nprint('b')");
            await first.ReadTextAsync("a\n", id);
            Task<int> stopped = server.StopAsync();
            while (await first.ReadAsync() is not null) { }

            await first.AnswerCloseAsync();
            await stopped;
        }

        await File.WriteAllTextAsync(go, "", TestContext.Current.CancellationToken);
        await server.StartAgainAsync();
        using KernelSocket second = await KernelSocket.OpenAsync(server, kernel, "s", isNameless: true);
        Assert.Equal("b\n", await second.ReadCellAsync(id));
    }

    [Fact]
    public async Task A_newcomer_hears_nothing_of_what_we_ask_a_kernel_ourselves()
    {
        string kernel = await KernelSocket.StartKernelAsync(shared.Server);
        using KernelSocket socket = await KernelSocket.OpenAsync(shared.Server, kernel, "newcomer");
        var parents = new List<string>();
        string id = await socket.ExecuteAsync("1");
        await socket.ReadUntilAsync(message =>
        {
            parents.Add(message.ParentId);
            return message.State == "idle" && message.ParentId == id;
        });
        Assert.All(parents, parent => Assert.Contains(parent, (string[])["", id])); // A kernel's "starting" answers nothing.
    }
}
