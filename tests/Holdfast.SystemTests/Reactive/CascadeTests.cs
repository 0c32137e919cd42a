using System.Text.Json;
using Holdfast.Protocol.Processes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Reactive;

/// <summary>Cascades in real ipykernels: what runs and what does not, after errors, edits, interrupts and deaths.</summary>
public sealed class CascadeTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private TestServer Server => shared.Server;

    [Fact]
    public async Task Cells_run_in_the_order_of_their_names_and_only_when_they_are_stale()
    {
        var book = new ReactiveBook(Server, "order", ("show", "print(total)"), ("sum", "total = x + y"), ("x", "x = 1"), ("y", "y = 40"));

        Assert.Equal("x=succeeded y=succeeded sum=succeeded show=succeeded", await book.RunAsync());
        Assert.Equal("41\n", book.Output("show"));
        Assert.Equal(200, (await Server.Rest.PostAsync("/v1/notebooks/cascade", book.Request())).Status); // Nothing is stale.

        book.Edit("x", "x = 2");
        Assert.Equal("x=succeeded sum=succeeded show=succeeded", await book.RunAsync());
        Assert.Equal("42\n", book.Output("show"));
        book.Edit("x", "x = 3");
        book.Edit("x", "x = 2");
        Assert.Equal(200, (await Server.Rest.PostAsync("/v1/notebooks/cascade", book.Request())).Status); // Taken back.
        Assert.Equal("sum=succeeded show=succeeded", await book.RunAsync("sum"));
    }

    [Fact]
    public async Task An_error_stops_what_needs_the_cell_and_nothing_else_and_its_output_is_kept()
    {
        var book = new ReactiveBook(
            Server,
            "error",
            ("bad", "print('before')\nbad = 1\nraise ValueError('no')"),
            ("below", "below = bad"),
            ("deep", "print(below)"),
            ("other", "print('other')")
        );
        Cascade cascade = await book.BeginAsync();

        Assert.Equal("bad=failed below=blocked deep=blocked other=succeeded", await cascade.EndAsync());
        Assert.Equal("before\n[ValueError]", book.Output("bad"));
        Assert.Equal("other\n", book.Output("other"));
        JsonElement deep = (
            await Server.Rest.GetAsync($"/v1/executions/{cascade.Execution("deep")}/wait?timeoutSeconds={Patience.AskedSeconds}")
        )
            .Must(200)
            .Json;
        Assert.Equal("blocked", deep.GetProperty("state").GetString());
        Assert.Equal("The cell bad, which it needs, failed.", deep.GetProperty("reason").GetString());
        Assert.Equal(cascade.Execution("bad"), deep.GetProperty("blockedBy").GetString());

        // It heals, and the rest is resumed with one request.
        book.Edit("bad", "bad = 1");
        Cascade rest = await book.BeginAsync(resume: true);
        Assert.Equal("bad=succeeded below=succeeded deep=succeeded", await rest.EndAsync());
        Assert.Equal("cancelled", (await Server.Rest.ExecutionAsync(cascade.Execution("deep"))).State);
        RestReply nothing = await Server.Rest.PostAsync("/v1/notebooks/cascade", book.Request(resume: true));
        Assert.Equal("nothing-to-resume", nothing.Must(409).Code);
    }

    [Fact]
    public async Task A_private_name_belongs_to_its_cell_and_leaves_with_it()
    {
        const string shows = "print(sorted(n for n in globals() if n in ('_x', '_h', '_kept')))";
        var book = new ReactiveBook(
            Server,
            "private",
            ("one", "import os, tempfile\n_x = tempfile.TemporaryDirectory()\npath = _x.name\na = 1"),
            ("two", "_kept = 2\ndef _h(): return _kept\ndef b(): return _h() + a"),
            ("reads", "_x\nc = b()"),
            ("shows", $"{shows}\nprint(os.path.isdir(path))\nb()")
        );

        Assert.Equal("one=succeeded two=succeeded reads=failed shows=succeeded", await book.RunAsync());
        Assert.Equal("[NameError]", book.Output("reads"));
        Assert.StartsWith("['_h', '_kept']\nTrue\n", book.Output("shows"), StringComparison.Ordinal); // What functions find by its name stays.

        book.Edit("reads", "c = 1");
        book.Edit("shows", shows);
        book.Delete("two");
        Assert.Equal("reads=succeeded shows=succeeded", await book.RunAsync());
        Assert.Equal("[]\n", book.Output("shows"));

        book.Edit("one", "path = None");
        book.Edit("shows", "import sys\nprint([n for k in vars(sys.modules['_holdfast_private']).values() if type(k) is dict for n in k])");
        Assert.Equal("one=succeeded shows=succeeded", await book.RunAsync());
        Assert.Equal("[]\n", book.Output("shows"));
    }

    [Fact]
    public async Task A_cell_that_may_fail_blocks_nobody()
    {
        var book = new ReactiveBook(Server, "allowed", ("bad", "x = 1\nraise ValueError('no')"), ("below", "print(x)"));
        string text = File.ReadAllText(book.Path)
            .Replace(
                "\"metadata\":{},\"execution_count\":null,\"outputs\":[],\"source\":\"x =",
                "\"metadata\":{\"tags\":[\"raises-exception\"]},\"execution_count\":null,\"outputs\":[],\"source\":\"x =",
                StringComparison.Ordinal
            );
        File.WriteAllText(book.Path, text);

        Assert.Equal("bad=failed below=succeeded", await book.RunAsync());
    }

    [Fact]
    public async Task A_newer_cascade_takes_the_place_of_what_an_older_has_not_begun()
    {
        string gate = Server.PathOf("gate-newer");
        var book = new ReactiveBook(
            Server,
            "newer",
            ("slow", $"import os, time\nslow = 1\nwhile not os.path.exists('{gate}'): time.sleep(0.01)"),
            ("old", "print('old code', slow)"),
            ("apart", "print('apart')")
        );
        Cascade older = await book.BeginAsync();
        await older.WaitForAsync("slow", "running");

        book.Edit("old", "print('new code', slow)");
        Cascade newer = await book.BeginAsync("old");
        Assert.Equal("old apart", newer.Plan); // The rest of the older comes along; what it is at goes on.
        File.WriteAllText(gate, "");

        Assert.Equal("slow=succeeded old=cancelled apart=cancelled", await older.EndAsync());
        Assert.Equal("old=succeeded apart=succeeded", await newer.EndAsync());
        ExecutionReply superseded = await Server.Rest.ExecutionAsync(older.Execution("old"));
        Assert.Equal("superseded", superseded.Cause);
        Assert.Contains(newer.Id, superseded.Reason, StringComparison.Ordinal);
        Assert.Equal("new code 1\n", book.Output("old"));
    }

    [Theory]
    [InlineData("interrupt")]
    [InlineData("cancel")]
    [InlineData("cancel-cell")]
    public async Task An_interrupt_or_a_cancel_stops_the_cascade(string how)
    {
        var book = new ReactiveBook(
            Server,
            how,
            ("slow", "import time\nprint('begun', flush=True)\nslow = 1\ntime.sleep(600)"),
            ("below", "print(slow)"),
            ("apart", "print('apart')")
        );
        Cascade cascade = await book.BeginAsync();
        await cascade.WaitForAsync("slow", "running");
        await Patience.UntilAsync(() => book.Output("slow").Length > 0, "the slow cell has begun");
        string route = how switch
        {
            "interrupt" => $"/v1/kernels/{cascade.KernelId}/interrupt",
            "cancel" => $"/v1/notebooks/cascades/{cascade.Id}/cancel",
            _ => $"/v1/executions/{cascade.Execution("slow")}/cancel",
        };
        Assert.InRange((await Server.Rest.PostAsync(route)).Status, 200, 204);

        Assert.Equal($"slow={(how == "interrupt" ? "failed" : "cancelled")} below=cancelled apart=cancelled", await cascade.EndAsync());
        Assert.StartsWith("begun\n", book.Output("slow"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kernel_that_dies_loses_what_ran_and_the_rest_is_resumed_with_one_request()
    {
        string gate = Server.PathOf("gate-death");
        var book = new ReactiveBook(
            Server,
            "death",
            ("first", "first = 1"),
            ("deadly", $"import os, signal\ndeadly = first\nif not os.path.exists('{gate}'): os.kill(os.getpid(), signal.SIGKILL)"),
            ("last", "print(deadly)")
        );
        Cascade cascade = await book.BeginAsync();

        Assert.Equal("first=succeeded deadly=lost last=cancelled", await cascade.EndAsync());
        File.WriteAllText(gate, "");
        Cascade rest = await book.BeginAsync(resume: true);
        Assert.Equal(cascade.KernelId, rest.KernelId); // The same kernel, in its next incarnation, which has nothing of the first.
        Assert.Equal("first=succeeded deadly=succeeded last=succeeded", await rest.EndAsync());
    }

    [Fact]
    public async Task A_restart_of_the_kernel_makes_everything_stale()
    {
        var book = new ReactiveBook(Server, "restart", ("x", "x = 1"), ("y", "print(x)"));
        Cascade cascade = await book.BeginAsync();
        await cascade.EndAsync();

        (await Server.Rest.PostAsync($"/v1/kernels/{cascade.KernelId}/restart")).Must(200);
        Cascade again = await book.BeginAsync();
        Assert.Equal(cascade.KernelId, again.KernelId);
        Assert.Equal("x=succeeded y=succeeded", await again.EndAsync());
    }

    [Fact]
    public async Task Names_of_a_deleted_or_renamed_cell_leave_the_kernel_and_what_needed_them_is_stale()
    {
        var book = new ReactiveBook(
            Server,
            "ghosts",
            ("x", "x = 1"),
            ("keep", "keep = 2"),
            ("y", "y = x"),
            ("look", "print('x' in globals(), 'y' in globals(), 'z' in globals(), 'keep' in globals())")
        );
        Cascade cascade = await book.BeginAsync();
        await cascade.EndAsync();
        Assert.Equal("True True False True\n", book.Output("look"));

        book.Edit("y", "z = x");
        book.Edit("look", "print('x' in globals(), 'y' in globals(), 'z' in globals(), 'keep' in globals()) # 2");
        Assert.Equal("y=succeeded look=succeeded", await book.RunAsync());
        Assert.Equal("True False True True\n", book.Output("look"));

        book.Delete("x");
        book.Edit("look", "print('x' in globals(), 'y' in globals(), 'z' in globals(), 'keep' in globals()) # 3");
        Assert.Equal("y=failed look=succeeded", await book.RunAsync()); // Its x is nowhere.
        Assert.StartsWith("False False", book.Output("look"), StringComparison.Ordinal);
        Assert.Equal("[NameError]", book.Output("y"));
        book.Edit("x", "x = 1");
        Assert.Equal(
            "x=succeeded y=succeeded",
            (await book.RunAsync()).Replace("y=succeeded x=succeeded", "x=succeeded y=succeeded", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_cell_that_was_run_past_the_cascades_is_fresh_if_it_may_be_and_what_needs_it_is_stale()
    {
        var book = new ReactiveBook(Server, "past", ("x", "x = 1"), ("y", "print(x)"), ("apart", "apart = 1"));
        Cascade cascade = await book.BeginAsync();
        await cascade.EndAsync();

        await RunPastAsync("x");
        Assert.Equal("y=succeeded", await book.RunAsync());

        book.Edit("x", "x = 1 / 0");
        await RunPastAsync("x");
        book.Edit("x", "x = 1");
        Assert.Equal("x y", (await book.BeginAsync()).Plan);

        async Task RunPastAsync(string cell)
        {
            string run = (
                await Server.Rest.PostAsync(
                    "/v1/notebooks/run",
                    $$"""{"path":"{{book.Path}}","kernel":"{{cascade.KernelId}}","cells":["{{cell}}"]}"""
                )
            )
                .Must(201)
                .Json.GetProperty("id")
                .GetString()!;
            (await Server.Rest.GetAsync($"/v1/notebooks/runs/{run}?timeoutSeconds={Patience.AskedSeconds}")).Must(200);
        }
    }

    [Fact]
    public async Task A_disabled_cell_and_what_needs_it_do_not_run()
    {
        var book = new ReactiveBook(Server, "disabled", ("x", "x = 1"), ("y", "y = x"), ("apart", "print('apart')"));
        File.WriteAllText(
            book.Path,
            File.ReadAllText(book.Path)
                .Replace(
                    "\"id\":\"x\",\"metadata\":{}",
                    "\"id\":\"x\",\"metadata\":{\"holdfast\":{\"disabled\":true}}",
                    StringComparison.Ordinal
                )
        );

        JsonElement started = (await Server.Rest.PostAsync("/v1/notebooks/cascade", book.Request())).Must(201).Json;
        Assert.Equal("apart=succeeded", await new Cascade(Server, started).EndAsync());
        Assert.Equal(
            ["x disabled x", "y upstreamDisabled x"],
            started
                .GetProperty("excluded")
                .EnumerateArray()
                .Select(static e =>
                    $"{e.GetProperty("cellId").GetString()} {e.GetProperty("reason").GetString()} {e.GetProperty("because").GetString()}"
                )
        );
        Assert.Equal("cell-blocked", (await Server.Rest.PostAsync("/v1/notebooks/cascade", book.Request("y"))).Must(409).Code);
    }

    [Fact]
    public async Task A_blocked_cell_never_runs_least_of_all_its_old_code_and_heals()
    {
        var book = new ReactiveBook(Server, "blocked", ("x", "x = 1"), ("y", "y = x\nprint('y is', y)"), ("apart", "print('apart')"));
        await book.RunAsync();

        // A cycle: x needs y, which needs x.
        book.Edit("x", "x = y");
        Assert.Equal("cell-blocked", (await Server.Rest.PostAsync("/v1/notebooks/cascade", book.Request("x"))).Must(409).Code);
        Assert.Equal("cell-blocked", (await Server.Rest.PostAsync("/v1/notebooks/cascade", book.Request("y"))).Must(409).Code);
        book.Edit("apart", "print('apart', 2)");
        Assert.Equal("apart=succeeded", await book.RunAsync());

        // Two writers.
        book.Edit("x", "x = 2");
        book.Edit("also", "x = 3");
        Assert.Equal("cell-blocked", (await Server.Rest.PostAsync("/v1/notebooks/cascade", book.Request("also"))).Must(409).Code);
        Assert.Equal(200, (await Server.Rest.PostAsync("/v1/notebooks/cascade", book.Request())).Status);
        Assert.Equal("y is 1\n", book.Output("y"));

        book.Delete("also");
        Assert.Equal("x=succeeded y=succeeded", await book.RunAsync());
        Assert.Equal("y is 2\n", book.Output("y"));
    }

    [Fact]
    public async Task A_cascade_goes_on_past_an_error_while_no_server_is_there()
    {
        await using TestServer server = await TestServer.StartAsync();
        string gate = server.PathOf("gate"),
            done = server.PathOf("done");
        var book = new ReactiveBook(
            server,
            "alone",
            ("slow", $"import os, time\nslow = 1\nwhile not os.path.exists('{gate}'): time.sleep(0.01)"),
            ("bad", "bad = slow / 0"),
            ("below", $"open('{done}', 'a').write('below')\nprint(bad)"),
            ("apart", $"open('{done}', 'a').write('apart')\nprint('apart', slow)")
        );
        Cascade cascade = await book.BeginAsync();
        await cascade.WaitForAsync("slow", "running");
        int kernel = (await server.Rest.GetAsync($"/v1/kernels/{cascade.KernelId}")).Must(200).Json.GetProperty("pid").GetInt32();
        await server.KillAsync();

        File.WriteAllText(gate, "");
        await Patience.UntilAsync(() => File.Exists(done) && File.ReadAllText(done).Length >= 5, "the cell after the error ran");
        Assert.Equal("apart", File.ReadAllText(done));
        await server.StartAgainAsync();

        Assert.Equal("slow=succeeded bad=failed below=blocked apart=succeeded", await cascade.EndAsync());
        Assert.Equal(kernel, (await server.Rest.GetAsync($"/v1/kernels/{cascade.KernelId}")).Must(200).Json.GetProperty("pid").GetInt32());
        Assert.Equal("apart 1\n", book.Output("apart"));
        Assert.Equal("bad below", (await book.BeginAsync()).Plan); // What succeeded meanwhile is fresh.
        _ = Libc.Kill(kernel, Libc.SigKill);
    }
}
