using System.Text;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jupyter;

/// <summary>Who comes when, and in whose place: a session that moves to another connection, and what a newcomer hears.</summary>
public sealed class TakeoverTests(SharedServer shared) : IClassFixture<SharedServer>
{
    /// <summary>
    /// Goal: whoever comes back takes over from a connection of which nobody knows yet that it is dead. Method: the first one stops reading
    /// and never answers its close; what was sent to it and what the second one gets are all lines, once.
    /// </summary>
    [Fact]
    public async Task A_client_that_has_gone_silent_is_succeeded_without_a_gap_or_a_line_twice()
    {
        const int lines = 300;
        string kernel = await KernelSocket.StartKernelAsync(shared.Server);
        using KernelSocket silent = await KernelSocket.OpenAsync(shared.Server, kernel, "one");
        string id = await silent.ExecuteAsync($"import time\nfor i in range({lines}):\n    print(i,flush=True)\n    time.sleep(0.002)");
        var said = new StringBuilder(await silent.ReadTextAsync("\n20\n", id));

        using KernelSocket next = await KernelSocket.OpenAsync(shared.Server, kernel, "one");
        string rest = await next.ReadCellAsync(id);
        while (await silent.ReadAsync() is { } message)
        {
            said.Append(message.ParentId == id ? message.Text : "");
        }

        Assert.Equal(4001, (int?)silent.CloseStatus);
        Assert.Equal(string.Concat(Enumerable.Range(0, lines).Select(static i => $"{i}\n")), said.Append(rest).ToString());
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
