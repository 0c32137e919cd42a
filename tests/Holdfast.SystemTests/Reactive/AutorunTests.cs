using System.Text.Json;
using Holdfast.SystemTests.Cli;
using Holdfast.SystemTests.Jupyter;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Reactive;

/// <summary>What runs by itself: after edits over REST, after saves and runs of plain Jupyter clients; and what clients are told.</summary>
public sealed class AutorunTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private TestServer Server => shared.Server;

    [Fact]
    public async Task An_edit_runs_what_it_made_stale_and_nothing_else()
    {
        ReactiveBook book = await StartAsync(
            "auto",
            ("x", "x = 1"),
            ("y", "y = x + 1"),
            ("show", "print(y)"),
            ("never", "raise ValueError('not run before')")
        );

        await book.PutAsync("x", "x = 41");
        await book.WaitForOutputAsync("show", "42\n"); // With what it needs, which had never run.
        Assert.Equal("x y show", await book.LatestPlanAsync());
        Assert.Equal("", book.Output("never"));
        await book.WaitForFreshnessAsync("x:fresh y:fresh show:fresh never:stale");

        // What fails once is not run again with every edit elsewhere.
        await book.PutAsync("never", "apart = 1 / 0");
        await book.WaitForOutputAsync("never", "[ZeroDivisionError]");
        await book.PutAsync("show", "print(y, 'again')");
        await book.WaitForOutputAsync("show", "42 again\n");
        Assert.Equal("show", await book.LatestPlanAsync());
    }

    [Fact]
    public async Task A_newer_edit_takes_the_place_of_what_has_not_begun()
    {
        string gate = Server.PathOf("gate-auto");
        ReactiveBook book = await StartAsync("supersede", ("slow", "slow = 0"), ("below", "print(slow)"));
        await book.PutAsync("slow", $"import os, time\nslow = 1\nwhile not os.path.exists('{gate}'): time.sleep(0.01)");
        await Patience.UntilAsync(async () => await StateOfLatestAsync(book, "slow") == "running", "the slow cell runs");
        await book.PutAsync("below", "print('new', slow)");
        await Patience.UntilAsync(async () => await book.LatestPlanAsync() == "below", "the newer edit was planned");
        File.WriteAllText(gate, "");

        await book.WaitForOutputAsync("below", "new 1\n");
        await book.WaitForFreshnessAsync("slow:fresh below:fresh");
    }

    [Fact]
    public async Task Ten_quick_edits_run_once()
    {
        ReactiveBook book = await StartAsync("quick", ("x", "x = 0"), ("count", "open('{0}', 'a').write(f'{x} ')"));
        string truth = Server.PathOf("quick-truth");
        await book.PutAsync("count", $"open('{truth}', 'a').write(f'{{x}} ')");
        long start = TimeProvider.System.GetTimestamp();
        for (int i = 1; i <= 10; i++)
        {
            await book.PutAsync("x", $"x = {i}");
        }

        TimeSpan taken = TimeProvider.System.GetElapsedTime(start);
        await book.WaitForFreshnessAsync("x:fresh count:fresh");
        string[] runs = File.ReadAllText(truth).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("10", runs[^1]);
        // Edits are quick that come within so much of each other.
        Assert.InRange(runs.Length, 1, 3 + (int)(taken / TimeSpan.FromMilliseconds(300)));
    }

    [Fact]
    public async Task A_deleted_cell_never_runs_again_though_it_was_planned()
    {
        string gate = Server.PathOf("gate-deleted"),
            truth = Server.PathOf("truth-deleted");
        var book = new ReactiveBook(
            Server,
            "deleted",
            ("slow", $"import os, time\nslow = 1\nwhile not os.path.exists('{gate}'): time.sleep(0.01)"),
            ("gone", $"open('{truth}', 'w').write(str(slow))"),
            ("below", "print(slow)")
        );
        await book.ModeAsync(isAutorun: false);
        Cascade cascade = await book.BeginAsync();
        await cascade.WaitForAsync("slow", "running");
        (
            await Server.Rest.SendAsync(
                new HttpRequestMessage(HttpMethod.Delete, $"/v1/notebooks/cells?path={Uri.EscapeDataString(book.Path)}&cellId=gone")
            )
        ).Must(204);
        await Patience.UntilAsync(
            async () => (await Server.Rest.ExecutionAsync(cascade.Execution("gone"))).State == "cancelled",
            "the deleted cell was taken out"
        );
        File.WriteAllText(gate, "");

        Assert.Equal("slow=succeeded gone=cancelled below=succeeded", await cascade.EndAsync());
        Assert.False(File.Exists(truth));
    }

    [Fact]
    public async Task Not_a_number_bytes_and_huge_tables_arrive()
    {
        ReactiveBook book = await StartAsync("odd", ("nan", "0"), ("bytes", "0"), ("table", "0"));
        await book.PutAsync("nan", "odd = float('nan')\nodd");
        await book.PutAsync("bytes", "raw = bytes(range(256))\nraw + str(odd).encode()");
        await book.PutAsync("table", "print('\\n'.join(','.join([str(odd)] * 20) for _ in range(50_000)))");
        await book.WaitForFreshnessAsync("nan:fresh bytes:fresh table:fresh");
        await Patience.UntilAsync(() => book.Output("table").Length == 50_000 * 80, "the table was saved");
        Assert.Equal("nan", book.Output("nan"));
        Assert.EndsWith("\\xffnan'", book.Output("bytes"), StringComparison.Ordinal);
        Assert.Contains("nan,nan", (await Server.Rest.GetAsync("/api/contents/odd.ipynb")).Must(200).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plain_clients_run_counts_its_text_is_registered_and_what_needs_it_follows()
    {
        ReactiveBook book = await StartAsync("client", ("x", "x = 1"), ("y", "print(x * 2)"), ("z", "print('apart')"));
        Cascade cascade = await book.BeginAsync();
        await cascade.EndAsync();
        using KernelSocket client = await KernelSocket.OpenAsync(Server, cascade.KernelId, "lab");

        // The client has edited the cell, and has not saved it.
        await client.ExecuteAsync("x = 21", "x");
        await book.WaitForOutputAsync("y", "42\n");
        Assert.Equal("y", await book.LatestPlanAsync());
        await book.WaitForFreshnessAsync("x:fresh y:fresh z:fresh");
        using var notebook = JsonDocument.Parse(await File.ReadAllBytesAsync(book.Path, TestContext.Current.CancellationToken));
        Assert.Equal(
            "x = 21",
            notebook.RootElement.GetProperty("cells")[0].GetProperty("source").ToString().Trim('[', ']', '"', ' ', '\n')
        );

        // Code of no cell that writes a cell's name.
        await client.ExecuteAsync("x = 0");
        await book.WaitForFreshnessAsync("x:stale y:stale z:fresh");
        Assert.Equal("x y", (await book.BeginAsync()).Plan);
    }

    [Fact]
    public async Task A_plain_clients_save_is_an_edit()
    {
        ReactiveBook book = await StartAsync("saved", ("x", "x = 1"), ("y", "print(x)"));
        await book.RunAsync();
        string content = JsonDocument
            .Parse((await Server.Rest.GetAsync("/api/contents/saved.ipynb")).Must(200).Text)
            .RootElement.GetProperty("content")
            .GetRawText();
        (
            await Server.Rest.SendAsync(
                new HttpRequestMessage(HttpMethod.Put, "/api/contents/saved.ipynb")
                {
                    Content = new StringContent(
                        $$"""{"type":"notebook","content":{{content.Replace("x = 1", "x = 5", StringComparison.Ordinal)}}}""",
                        System.Text.Encoding.UTF8,
                        "application/json"
                    ),
                }
            )
        ).Must(200);
        await book.WaitForOutputAsync("y", "5\n");
    }

    [Fact]
    public async Task What_a_client_ran_and_took_back_before_it_saved_is_not_what_the_cell_is()
    {
        var book = new ReactiveBook(Server, "taken-back", ("x", "x = 1"), ("y", "print(x)"));
        await book.ModeAsync(isAutorun: false);
        Cascade cascade = await book.BeginAsync();
        await cascade.EndAsync();
        using KernelSocket client = await KernelSocket.OpenAsync(Server, cascade.KernelId, "lab");
        await client.ExecuteAsync("x = 5", "x");
        await book.WaitForFreshnessAsync("x:fresh y:stale");

        string content = JsonDocument
            .Parse((await Server.Rest.GetAsync("/api/contents/taken-back.ipynb")).Must(200).Text)
            .RootElement.GetProperty("content")
            .GetRawText();
        (
            await Server.Rest.SendAsync(
                new HttpRequestMessage(HttpMethod.Put, "/api/contents/taken-back.ipynb")
                {
                    Content = new StringContent(
                        $$"""{"type":"notebook","content":{{content}}}""",
                        System.Text.Encoding.UTF8,
                        "application/json"
                    ),
                }
            )
        ).Must(200);
        await book.WaitForFreshnessAsync("x:stale y:stale");
        await book.RunAsync();
        Assert.Equal("1\n", book.Output("y"));
        Assert.Contains("x = 1", await File.ReadAllTextAsync(book.Path, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    /// <summary>
    /// Two clients hear of a notebook: one reads, one has stopped reading its kernel's channels and the feed. More is said than lies in any
    /// buffer between.
    /// </summary>
    [Fact]
    public async Task A_client_that_has_stopped_reading_delays_nobody_and_misses_nothing()
    {
        ReactiveBook book = await StartAsync("stalled", ("x", "x = 0"), ("much", "'nothing yet'"), ("last", "print('last', x)"));
        await book.PutAsync("x", "x = 1");
        await book.WaitForOutputAsync("last", "last 1\n");
        string kernel = (await book.LatestCascadeAsync())!.Value.GetProperty("kernelId").GetString()!;
        using KernelSocket stalled = await KernelSocket.OpenAsync(Server, kernel, "stalled");
        await using IAsyncEnumerator<StreamEvent> stalledFeed = Server
            .Rest.FollowAsync("/v1/feed?after=0", null, TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await stalledFeed.MoveNextAsync());
        using KernelSocket reading = await KernelSocket.OpenAsync(Server, kernel, "reading");

        await book.PutAsync("much", "for i in range(24): print(('%d ' % x) * 400_000, flush=True)");
        await book.PutAsync("x", "x = 2");
        Assert.Equal("blocked", (await book.PutAsync("much", "x = 3\nprint('much', x)")).GetProperty("state").GetString());
        Assert.Equal(
            "ok",
            (await book.PutAsync("much", "for i in range(24): print(('%d ' % x) * 400_000, flush=True)")).GetProperty("state").GetString()
        );
        await reading.ReadTextAsync("last 2\n");
        await book.WaitForOutputAsync("last", "last 2\n");

        await stalled.ReadTextAsync("last 2\n");
        bool isSaid = false;
        while (!isSaid && await stalledFeed.MoveNextAsync())
        {
            isSaid =
                stalledFeed.Current.Name == "notebook.registered"
                && stalledFeed.Current.Data.Contains("multipleDefinition", StringComparison.Ordinal);
        }

        Assert.True(isSaid);
    }

    [Fact]
    public async Task A_session_and_a_cascade_have_one_kernel_and_its_client_sees_the_outputs()
    {
        var book = new ReactiveBook(Server, "session", ("x", "x = 1"), ("y", "print('seen', x)"));
        await book.ModeAsync(isAutorun: false);
        JsonElement session = (
            await Server.Rest.PostAsync(
                "/api/sessions",
                """{"path":"session.ipynb","name":"session.ipynb","type":"notebook","kernel":{"name":"python3"}}"""
            )
        )
            .Must(201)
            .Json;
        string kernel = session.GetProperty("kernel").GetProperty("id").GetString()!;
        using KernelSocket client = await KernelSocket.OpenAsync(Server, kernel, "lab");

        Cascade cascade = await book.BeginAsync();
        Assert.Equal(kernel, cascade.KernelId);
        Assert.Equal("seen 1\n", await client.ReadTextAsync("\n"));
        await cascade.EndAsync();
        Assert.Contains("seen 1", (await Server.Rest.GetAsync("/api/contents/session.ipynb")).Must(200).Text, StringComparison.Ordinal);

        // The other way round: what a cascade has started is what a session gets.
        var other = new ReactiveBook(Server, "later", ("x", "x = 1"));
        await other.ModeAsync(isAutorun: false);
        Cascade first = await other.BeginAsync();
        JsonElement later = (
            await Server.Rest.PostAsync(
                "/api/sessions",
                """{"path":"later.ipynb","name":"later.ipynb","type":"notebook","kernel":{"name":"python3"}}"""
            )
        )
            .Must(201)
            .Json;
        Assert.Equal(first.KernelId, later.GetProperty("kernel").GetProperty("id").GetString());
    }

    [Fact]
    public async Task The_end_of_a_kernel_is_told_and_one_command_resumes_what_it_took()
    {
        string gate = Server.PathOf("gate-sigkill");
        var book = new ReactiveBook(
            Server,
            "sigkill",
            ("first", "first = 1"),
            ("slow", $"import os, time\nslow = first\nwhile not os.path.exists('{gate}'): time.sleep(0.01)"),
            ("last", "print(slow)")
        );
        await book.ModeAsync(isAutorun: false);
        Cascade cascade = await book.BeginAsync();
        await cascade.WaitForAsync("slow", "running");
        int pid = (await Server.Rest.GetAsync($"/v1/kernels/{cascade.KernelId}")).Must(200).Json.GetProperty("pid").GetInt32();
        _ = Holdfast.Protocol.Processes.Libc.Kill(pid, Holdfast.Protocol.Processes.Libc.SigKill);

        Assert.Equal("first=succeeded slow=lost last=cancelled", await cascade.EndAsync());
        JsonElement told = await book.ToldAsync("notebook.freshness");
        Assert.Equal(
            ("kernelDied", "first"),
            (told.GetProperty("cause").GetString(), string.Join(' ', told.GetProperty("stale").EnumerateArray()))
        );
        File.WriteAllText(gate, "");
        Assert.Contains("slow", await CliProcess.MustAsync(Server.Data, "notebook", "resume", book.Path), StringComparison.Ordinal);
        Assert.Equal("1\n", book.Output("last"));
        Assert.Equal("first:fresh slow:fresh last:fresh", await book.FreshnessAsync());
    }

    [Fact]
    public async Task A_renamed_notebook_keeps_its_kernel_and_its_values()
    {
        var book = new ReactiveBook(Server, "old-name", ("x", "x = 1"), ("y", "print(x)"));
        await book.ModeAsync(isAutorun: false);
        Cascade cascade = await book.BeginAsync();
        await cascade.EndAsync();

        (
            await Server.Rest.SendAsync(
                new HttpRequestMessage(HttpMethod.Patch, "/api/contents/old-name.ipynb")
                {
                    Content = new StringContent("""{"path":"new-name.ipynb"}""", System.Text.Encoding.UTF8, "application/json"),
                }
            )
        ).Must(200);
        book.MovedTo(Path.Combine(Server.Root, "new-name.ipynb"));
        Assert.Equal("x:fresh y:fresh", await book.FreshnessAsync());
        await book.PutAsync("x", "x = 2");
        Cascade again = await book.BeginAsync();
        Assert.Equal(cascade.KernelId, again.KernelId);
        Assert.Equal("x=succeeded y=succeeded", await again.EndAsync());
    }

    private async Task<ReactiveBook> StartAsync(string name, params (string, string)[] cells)
    {
        var book = new ReactiveBook(Server, name, cells);
        await book.ModeAsync(isAutorun: true);
        return book;
    }

    private static async Task<string?> StateOfLatestAsync(ReactiveBook book, string cell) =>
        await book.LatestCascadeAsync() is { } latest
            ? latest
                .GetProperty("cells")
                .EnumerateArray()
                .Where(c => c.GetProperty("cellId").GetString() == cell)
                .Select(static c => c.GetProperty("state").GetString())
                .FirstOrDefault()
            : null;
}
