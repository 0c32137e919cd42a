using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jupyter;

/// <summary>What a client of a kernel is owed when the server, its connection or itself is not there for a while.</summary>
public class ReplayTests
{
    /// <summary>The kernel says a line every 4 ms: a kill comes within so many, and within one of them at any instant.</summary>
    private const int LinesUntilKill = 15;
    private const int SpinsMax = 200_000;

    [Fact]
    public Task Kill_9_in_mid_loop_leaves_the_client_without_gap_or_duplicate() => NumbersMustComeOnceAsync(kills: 5);

    [Fact]
    [Trait("suite", "clients")]
    public Task Thirty_kill_9_in_mid_loop_leave_the_client_without_gap_or_duplicate() => NumbersMustComeOnceAsync(kills: 30);

    /// <summary>
    /// Goal: no line is lost or comes twice, whenever the server is killed. Method: numbered lines, a client that comes back with its
    /// session at once, kills at seeded moments.
    /// </summary>
    private static async Task NumbersMustComeOnceAsync(int kills)
    {
        await using TestServer server = await TestServer.StartAsync();
        string kernel = await KernelSocket.StartKernelAsync(server);
        string session = Guid.NewGuid().ToString("N");
        var random = new Random(20261121);
        KernelSocket socket = await KernelSocket.OpenAsync(server, kernel, session);
        string go = server.PathOf("stop");
        string id = await socket.ExecuteAsync(
            "import os,time\ni=0\nwhile not os.path.exists("
                + JsonValue.Create(go)!.ToJsonString()
                + "):\n print(i,flush=True); i+=1; time.sleep(0.004)\nprint('last',i,flush=True)"
        );
        var lines = new StringBuilder();
        int idles = 0,
            replies = 0;
        for (int kill = 0; kill <= kills; kill++)
        {
            int left = kill < kills ? random.Next(1, LinesUntilKill) : -1;
            Task? killing = null;
            if (kill == kills)
            {
                await File.WriteAllTextAsync(go, "");
            }

            while (idles == 0 || replies == 0)
            {
                SocketMessage? message = await socket.ReadAsync();
                if (message is null)
                {
                    break;
                }

                if (message.ParentId == id)
                {
                    lines.Append(message.Text);
                    idles += message.State == "idle" ? 1 : 0;
                    replies += message.Type == "execute_reply" ? 1 : 0;
                }

                if (message.Type == "stream" && --left == 0)
                {
                    Thread.SpinWait(random.Next(SpinsMax));
                    killing = server.KillAsync();
                }
            }

            if (killing is not null)
            {
                await killing;
                await server.StartAgainAsync();
                socket.Dispose();
                socket = await KernelSocket.OpenAsync(server, kernel, session);
            }
        }

        socket.Dispose();
        string[] said = lines.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Enumerable.Range(0, said.Length - 1).Select(static i => i.ToString(CultureInfo.InvariantCulture)), said[..^1]);
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"last {said.Length - 1}"), said[^1]);
        Assert.Equal((1, 1), (idles, replies));
    }

    [Fact]
    public async Task A_cell_that_ends_while_the_server_is_down_is_whole_for_its_client()
    {
        await using TestServer server = await TestServer.StartAsync();
        string kernel = await KernelSocket.StartKernelAsync(server);
        string session = Guid.NewGuid().ToString("N");
        string mark = server.PathOf("ended"),
            go = server.PathOf("go");
        string id;
        using (KernelSocket first = await KernelSocket.OpenAsync(server, kernel, session))
        {
            id = await first.ExecuteAsync(
                $"import os,time\nprint('begun',flush=True)\nwhile not os.path.exists('{go}'): time.sleep(0.01)\nprint('more',flush=True)\nopen('{mark}','w')"
            );
            Assert.Equal("begun\n", await first.ReadTextAsync("\n", id));
            await server.KillAsync();
        }

        await File.WriteAllTextAsync(go, "", TestContext.Current.CancellationToken);
        await Patience.UntilAsync(() => File.Exists(mark), "the cell had ended");
        await server.StartAgainAsync();
        using KernelSocket second = await KernelSocket.OpenAsync(server, kernel, session);
        Assert.Equal("more\n", await second.ReadCellAsync(id));
    }

    [Fact]
    public async Task Input_that_is_asked_for_is_offered_to_everyone_again_after_a_restart_and_answered_once()
    {
        await using TestServer server = await TestServer.StartAsync();
        string kernel = await KernelSocket.StartKernelAsync(server);
        string session = Guid.NewGuid().ToString("N");
        string id;
        using (KernelSocket asker = await KernelSocket.OpenAsync(server, kernel, session))
        {
            id = await asker.ExecuteAsync("a=input('name? '); print('hello',a)");
            await asker.ReadUntilAsync(static message => message.Type == "input_request");
            await server.RestartAsync();
        }

        using KernelSocket back = await KernelSocket.OpenAsync(server, kernel, session);
        using KernelSocket other = await KernelSocket.OpenAsync(server, kernel, "somebody-else");
        Assert.Equal(id, (await other.ReadUntilAsync(static message => message.Type == "input_request")).ParentId);
        Assert.Equal(id, (await back.ReadUntilAsync(static message => message.Type == "input_request")).ParentId);
        await other.SendAsync("stdin", "input_reply", new JsonObject { ["value"] = "first" });
        Assert.Equal("hello first\n", await back.ReadCellAsync(id));
        await back.SendAsync("stdin", "input_reply", new JsonObject { ["value"] = "second" });
        string next = await back.ExecuteAsync("b=input('again? '); print(b)");
        await other.ReadUntilAsync(message => message.Type == "input_request" && message.ParentId == next);
        await other.SendAsync("stdin", "input_reply", new JsonObject { ["value"] = "asked anew" });
        Assert.Equal("asked anew\n", await back.ReadTextAsync("\n", next));
    }

    [Fact]
    public async Task A_busy_kernel_introduces_itself_at_once()
    {
        await using TestServer server = await TestServer.StartAsync();
        string kernel = await KernelSocket.StartKernelAsync(server);
        using KernelSocket worker = await KernelSocket.OpenAsync(server, kernel, "worker");
        string id = await worker.ExecuteAsync(
            "import time\nfrom ipykernel.comm import Comm\nw=Comm(target_name='jupyter.widget',data=dict(state=dict(_model_name='IntSliderModel',value=1)))\n"
                + "w.send(dict(method='update',state=dict(value=2)))\nplain=Comm(target_name='mine')\nprint('on',flush=True)\ntime.sleep(600)"
        );
        await worker.ReadUntilAsync(static message => message.Type == "stream");
        using KernelSocket page = await KernelSocket.OpenAsync(server, kernel, "page");
        Assert.Equal("busy", (await page.ReadUntilAsync(static message => message.Type == "status")).State);
        string asked = await page.SendAsync("shell", "kernel_info_request", []);
        SocketMessage reply = await page.ReadUntilAsync(message => message.Type == "kernel_info_reply");
        Assert.Equal((asked, "python"), (reply.ParentId, reply.Content.GetProperty("language_info").GetProperty("name").GetString()));
        Assert.Equal(asked, (await page.ReadUntilAsync(static message => message.State == "idle")).ParentId);

        asked = await page.SendAsync("shell", "comm_info_request", new JsonObject { ["target_name"] = "jupyter.widget" });
        SocketMessage open = await page.ReadUntilAsync(static message => message.Type == "comm_info_reply");
        JsonProperty widget = Assert.Single(open.Content.GetProperty("comms").EnumerateObject());
        Assert.Equal((asked, "jupyter.widget"), (open.ParentId, widget.Value.GetProperty("target_name").GetString()));
        asked = await page.SendAsync(
            "shell",
            "comm_msg",
            new JsonObject
            {
                ["comm_id"] = widget.Name,
                ["data"] = new JsonObject { ["method"] = "request_state" },
            }
        );
        SocketMessage update = await page.ReadUntilAsync(message => message.Type == "comm_msg" && message.ParentId == asked);
        Assert.Equal(2, update.Content.GetProperty("data").GetProperty("state").GetProperty("value").GetInt32());
        Assert.Equal(asked, (await page.ReadUntilAsync(static message => message.State == "idle")).ParentId);

        await server.Rest.PostAsync($"/api/kernels/{kernel}/interrupt");
        Assert.Equal(
            "error",
            (await worker.ReadUntilAsync(message => message.Type == "execute_reply" && message.ParentId == id))
                .Content.GetProperty("status")
                .GetString()
        );
    }

    /// <summary>
    /// Goal: a client that stands still costs nobody anything and loses nothing. Method: 60,000 messages past one that does not read,
    /// memory looked at, then it reads.
    /// </summary>
    [Fact]
    public async Task A_client_that_stands_still_is_caught_up_from_the_journal()
    {
        const int count = 60_000;
        await using TestServer server = await TestServer.StartAsync();
        string kernel = await KernelSocket.StartKernelAsync(server);
        using KernelSocket reader = await KernelSocket.OpenAsync(server, kernel, "reader");
        using KernelSocket sleeper = await KernelSocket.OpenAsync(server, kernel, "sleeper");
        string id = await reader.ExecuteAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"from IPython.display import publish_display_data\nfor i in range({count}): publish_display_data({{'text/plain':str(i)}})"
            )
        );
        Assert.Equal(count, await CountAsync(reader, id));
        long resident = server.Process.WorkingSet64;
        Assert.True(resident < 250 * 1024 * 1024, $"The server has {resident / 1024 / 1024} MiB.");
        Assert.Equal(count, await CountAsync(sleeper, id));
    }

    [Fact]
    public async Task An_output_of_200_megabytes_holds_up_nobody()
    {
        await using TestServer server = await TestServer.StartAsync();
        string kernel = await KernelSocket.StartKernelAsync(server);
        using KernelSocket socket = await KernelSocket.OpenAsync(server, kernel, "big");
        using KernelSocket other = await KernelSocket.OpenAsync(server, await KernelSocket.StartKernelAsync(server), "other");
        await MustEndAsync(other, await other.ExecuteAsync("1"));
        await MustEndAsync(socket, await socket.ExecuteAsync("1"));
        string id = await socket.ExecuteAsync("import sys\n_=sys.stdout.write('a'*200_000_000)");
        Task<string> big = socket.ReadCellAsync(id);
        int served = 0;
        while (!big.IsCompleted)
        {
            (await server.Rest.GetAsync("/api/kernels")).Must(200);
            (await server.Rest.GetAsync("/api/contents")).Must(200);
            await MustEndAsync(other, await other.ExecuteAsync("1"));
            served++;
        }

        Assert.Equal(200_000_000, (await big).Length);
        Assert.True(served > 1, "Everybody else waited for it."); // No clock: how long either takes is the machine's.
    }

    [Fact]
    public async Task A_server_that_stops_says_come_back()
    {
        await using TestServer server = await TestServer.StartAsync();
        string kernel = await KernelSocket.StartKernelAsync(server);
        using KernelSocket socket = await KernelSocket.OpenAsync(server, kernel, "s");
        Task<SocketMessage?> read = ReadToEndAsync(socket);
        await server.StopAsync();
        Assert.Null(await read);
        Assert.Equal((WebSocketCloseStatus)1012, socket.CloseStatus);
    }

    /// <summary>
    /// Clients take the word for a death that the server has mended: VS Code calls the kernel crashed, JupyterLab says that it has died.
    /// </summary>
    [Fact]
    public async Task A_restart_that_was_asked_for_is_not_called_restarting()
    {
        await using TestServer server = await TestServer.StartAsync();
        string kernel = await KernelSocket.StartKernelAsync(server);
        using KernelSocket socket = await KernelSocket.OpenAsync(server, kernel, "s");
        string id = await socket.ExecuteAsync("1");
        string old = (await socket.ReadUntilAsync(message => message.ParentId == id)).Session;
        (await server.Rest.PostAsync($"/api/kernels/{kernel}/restart")).Must(200);
        string next = await socket.ExecuteAsync("2");
        var states = new List<string?>();
        SocketMessage reply = await socket.ReadUntilAsync(message =>
        {
            states.Add(message.State);
            return message.Type == "execute_reply" && message.ParentId == next;
        });
        Assert.NotEqual(old, reply.Session);
        Assert.DoesNotContain("restarting", states);
    }

    [Theory]
    [InlineData("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "signalled", null, "SIGKILL", Traits = ["suite", "clients"])]
    [InlineData("import ctypes; ctypes.string_at(0)", "signalled", null, "SIGSEGV", Traits = ["suite", "clients"])]
    [InlineData("import os; os._exit(3)", "exited", 3, null)]
    [InlineData("import time; much = b'x' * (700 << 20); time.sleep(60)", "outOfMemory", null, "SIGKILL")]
    public async Task The_cause_of_a_death_is_told_with_the_restart(string code, string cause, int? exitCode, string? signal)
    {
        await using TestServer server = await TestServer.StartAsync();
        string kernel = (await server.Rest.PostAsync("/v1/kernels", """{"name":"python3","limits":{"memoryBytes":314572800}}"""))
            .Must(201)
            .Json.GetProperty("id")
            .GetString()!;
        using KernelSocket socket = await KernelSocket.OpenAsync(server, kernel, "s");
        string id = await socket.ExecuteAsync("1"); // What a kernel says right before its death may never leave it.
        string old = (await socket.ReadUntilAsync(message => message.ParentId == id)).Session;
        await socket.ExecuteAsync(code);
        SocketMessage told = await socket.ReadUntilAsync(static message => message.State == "restarting");
        Assert.Equal(old, told.Session);
        Assert.Equal(cause, told.Content.GetProperty("cause").GetString());
        Assert.Equal(
            exitCode,
            told.Content.TryGetProperty("exitCode", out JsonElement exit) && exit.ValueKind == JsonValueKind.Number ? exit.GetInt32() : null
        );
        Assert.Equal(signal, told.Content.TryGetProperty("signalName", out JsonElement name) ? name.GetString() : null);
        string next = await socket.ExecuteAsync("print('anew')");
        Assert.Equal("anew\n", await socket.ReadTextAsync("\n", next));
    }

    /// <summary>
    /// Goal: a gateway, which has no session to show, misses nothing either. Method: the socket without a session_id, killed in mid-loop.
    /// </summary>
    [Fact]
    public async Task A_client_without_a_session_goes_on_where_it_was_cut()
    {
        await using TestServer server = await TestServer.StartAsync();
        string kernel = await KernelSocket.StartKernelAsync(server);
        var said = new StringBuilder();
        string go = server.PathOf("go");
        string id;
        using (KernelSocket first = await KernelSocket.OpenAsync(server, kernel, "s", isNameless: true))
        {
            id = await first.ExecuteAsync(
                $"import os,time\nfor i in range(100):\n    print(i,flush=True)\n    time.sleep(0.01)\n    while i > 50 and not os.path.exists('{go}'): time.sleep(0.01)"
            );
            await first.ReadTextAsync("\n9\n");
            await server.KillAsync();
            while (await first.ReadAsync() is { } message)
            {
                said.Append(message.Text);
            }
        }

        await File.WriteAllTextAsync(go, "", TestContext.Current.CancellationToken);
        await server.StartAgainAsync();
        using KernelSocket second = await KernelSocket.OpenAsync(server, kernel, "s", isNameless: true);
        said.Append(await second.ReadCellAsync(id));
        Assert.Equal(string.Concat(Enumerable.Range(10, 90).Select(static i => $"{i}\n")), said.ToString());
    }

    /// <summary>
    /// Goal: replies come back to clients that say in no way who they are, each to its own. Method: two of them, and headers without a
    /// session.
    /// </summary>
    [Fact]
    public async Task A_reply_finds_the_client_that_asked_even_when_it_never_says_who_it_is()
    {
        await using TestServer server = await TestServer.StartAsync();
        string kernel = await KernelSocket.StartKernelAsync(server);
        using KernelSocket one = await KernelSocket.OpenAsync(server, kernel, "", isNameless: true, saysSession: false);
        using KernelSocket other = await KernelSocket.OpenAsync(server, kernel, "a \"quoted\" & odd one", saysSession: false);

        string first = await one.ExecuteAsync("1");
        Assert.Equal(first, (await one.ReadUntilAsync(static m => m.Type == "execute_reply")).ParentId);
        string second = await other.ExecuteAsync("2");
        Assert.Equal(second, (await other.ReadUntilAsync(static m => m.Type == "execute_reply")).ParentId);
    }

    private static async Task<SocketMessage?> ReadToEndAsync(KernelSocket socket)
    {
        while (await socket.ReadAsync() is not null) { }

        return null;
    }

    private static async Task MustEndAsync(KernelSocket socket, string id) => _ = await socket.ReadCellAsync(id);

    /// <summary>How many displays came until the idle, each of which must be the next.</summary>
    private static async Task<int> CountAsync(KernelSocket socket, string id)
    {
        int count = 0;
        while (true)
        {
            SocketMessage message = await socket.ReadUntilAsync(message => message.ParentId == id);
            if (message.Type == "display_data")
            {
                Assert.Equal(
                    count.ToString(CultureInfo.InvariantCulture),
                    message.Content.GetProperty("data").GetProperty("text/plain").GetString()
                );
                count++;
            }
            else if (message.State == "idle")
            {
                return count;
            }
        }
    }
}
