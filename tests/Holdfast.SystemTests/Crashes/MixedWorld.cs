using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.Protocol;
using Holdfast.SystemTests.Kernels;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Crashes;

/// <summary>
/// Everything that a server does, in flight at once and through any number of its deaths:
/// 1. what is held, from the first death to the last: jobs in line for composite locks, a notebook run, a cascade and a client's cell, each
/// at a gate;
/// 2. what moves at each death: jobs with locks and callbacks, a run with an output too large for its notebook, an edit and what follows
/// from it, a client's cell, an upload that is pruned;
/// 3. what is done to it only where a point asks for that: a kernel that dies or is restarted, a session that moves, deletion, compression,
/// a start. In the end the gate opens, and the books are balanced.
/// </summary>
internal sealed class MixedWorld : IAsyncDisposable
{
    private const int LinesOfBig = 1500;
    private const string Edited = "y",
        Session = """{"path":"moved.ipynb","type":"notebook","kernel":{"name":"python3"}}""";

    private readonly List<AcknowledgedJob> _jobs = [];
    private readonly List<AcknowledgedRun> _runs = [];
    private readonly List<(string Path, string Id)> _big = [];
    private readonly List<(KernelClient Client, string Message, string Text)> _cells = [];
    private readonly List<string> _kernels = [];
    private readonly string _gate;
    private ReactiveBook _edited = null!;
    private Cascade _cascade = null!;
    private KernelClient _held = null!;
    private KernelClient _free = null!;
    private string _session = "";
    private int _round;
    private int _checkedJobs;
    private int _checkedRuns;
    private int _checkedCells;
    private long _bytesCompared;

    private MixedWorld(TestServer server)
    {
        Server = server;
        _gate = server.PathOf("gate");
        Truth = new TruthFile(server.PathOf("truth"));
    }

    public TestServer Server { get; }
    public TruthFile Truth { get; }
    public WebhookReceiver Receiver { get; } = new();
    public int Deaths { get; private set; }

    public static async Task<MixedWorld> BuildAsync()
    {
        var world = new MixedWorld(TestServer.Prepare(Options()));
        try
        {
            await world.Server.StartAgainAsync();
            await world.HoldAsync();
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>One death more, in the middle of it all.</summary>
    public async Task DieAsync(CrashPoint point, int arrival)
    {
        _round++;
        if (point is CrashPoint.ServerRetentionCommitted or CrashPoint.ServerSegmentPacked or CrashPoint.ServerSegmentReplaced)
        {
            await MakeOldAsync(point);
        }

        await Server.KillAsync(); // Whoever finished the round before: a death more, which no point chose.
        Deaths++;
        string died = Server.PathOf(string.Create(CultureInfo.InvariantCulture, $"died-{_round}"));
        TestServerOptions armed = Options();
        armed.Environment["HOLDFAST_CRASH_POINT"] = string.Create(CultureInfo.InvariantCulture, $"{point}:{arrival}");
        armed.Environment["HOLDFAST_CRASH_ONCE"] = died;
        Server.Launch(armed with { Arguments = [.. armed.Arguments, .. Extra(point)] });
        try
        {
            await Server.WaitUntilReadyAsync();
        }
        catch (Exception e) when (e is ServerDiedException or HttpRequestException or IOException && File.Exists(died))
        {
            await Server.WaitForExitAsync(); // It was to die at its start.
        }

        await MoveAsync(point);
        await Patience.UntilAsync(() => File.Exists(died), $"the server came to {point}:{arrival}");
        Deaths++;
        await EndOfRoundAsync();
    }

    /// <summary>Opens the gate and holds what everybody was told against what the work says itself. Returns the books as lines.</summary>
    public async Task<List<string>> BalanceAsync()
    {
        await File.WriteAllTextAsync(_gate, "");
        await CheckAsync();
        Assert.Equal("first=succeeded wait=succeeded show=succeeded", await Server.PersistAsync(_ => _cascade.EndAsync()));
        await _edited.WaitForOutputAsync(Edited, string.Create(CultureInfo.InvariantCulture, $"{_round}\n"));
        Assert.Equal("[]", (await Server.PersistAsync(static rest => rest.GetAsync("/v1/locks"))).Text);
        JsonElement recovery = (await Server.PersistAsync(static rest => rest.GetAsync("/v1/recovery"))).Must(200).Json;
        Assert.All(
            recovery.GetProperty("phases").EnumerateArray(),
            static p => Assert.Equal(JsonValueKind.Null, p.GetProperty("problem").ValueKind)
        );
        await EndKernelsAsync();
        await Server.MustLeaveNothingAsync();
        return
        [
            $"{Deaths} deaths of the server, {_round} of them at a step that was chosen",
            $"{_checkedJobs} jobs, {_checkedRuns} runs and {_checkedCells} cells of clients acknowledged; all of them ended as they should, once",
            $"{_bytesCompared} bytes of output compared, 0 wrong; {Receiver.Received.Count} callbacks received under {Receiver.Received.Select(static r => r.Id).Distinct().Count()} ids",
            "no process, lock, waiting row or callback left over",
        ];
    }

    public async ValueTask DisposeAsync()
    {
        _held?.Dispose();
        _free?.Dispose();
        await Server.DisposeAsync();
        Receiver.Dispose();
    }

    private static TestServerOptions Options() =>
        new()
        {
            Programs = Published.CrashPoints,
            Arguments = ["--slots", "6", "--inline-output", "8K", "--kernel-restarts", "100"],
            Environment = new() { ["HOLDFAST_CALLBACKS_ALLOW"] = "127.0.0.0/8" },
        };

    private static string[] Extra(CrashPoint point) =>
        point switch
        {
            CrashPoint.ServerRetentionCommitted => ["--keep-executions", "1ms"],
            CrashPoint.ServerSegmentPacked or CrashPoint.ServerSegmentReplaced => ["--compress-after", "1ms"],
            _ => [],
        };

    private async Task HoldAsync()
    {
        string wait = $"while [ ! -e '{_gate}' ]; do sleep 0.05; done";
        _held = await KernelClient.StartAsync(Server);
        _free = await KernelClient.StartAsync(Server);
        _kernels.AddRange([_held.KernelId, _free.KernelId]);
        _session = (await Server.Rest.PostAsync("/api/sessions", Session)).Must(201).Json.GetProperty("id").GetString()!;
        string[][] lines =
        [
            ["a ü/", "b"],
            ["b", "a ü/"],
            ["b"],
        ];
        foreach (string[] locks in lines)
        {
            await SubmitAsync(HouseJob.Held(Truth, $"held-{_jobs.Count}", wait) with { Locks = locks, Callback = Receiver.Url() });
        }

        _cells.Add(
            (_held, _held.Execute($"import os, time\nwhile not os.path.exists('{_gate}'): time.sleep(0.05)\nprint('held')"), "held")
        );
        var book = new TruthNotebook(Server, Truth, "held", cells: 2, lines: 3, gate: _gate);
        _runs.Add(new AcknowledgedRun(book, await Server.Rest.RunOnceAsync(book)));
        _cascade = await new ReactiveBook(
            Server,
            "cascade",
            ("show", "print('shown', total)"),
            ("wait", $"import os, time\nwhile not os.path.exists('{_gate}'): time.sleep(0.05)\ntotal = first + 1"),
            ("first", "first = 1")
        ).BeginAsync();
        await _cascade.WaitForAsync("wait", "running");
        _kernels.Add(_cascade.KernelId);
        _edited = new ReactiveBook(Server, "edited", ("x", "x = 0"), (Edited, "print(x)"));
        await _edited.ModeAsync(isAutorun: true);
        await _edited.PutAsync("x", "x = 0.0");
        await _edited.WaitForOutputAsync(Edited, "0.0\n");
        _kernels.Add((await _edited.LatestCascadeAsync())!.Value.GetProperty("kernelId").GetString()!);
        await Truth.WaitForAsync("start");
    }

    /// <summary>All of it is begun before any of it is waited for.</summary>
    private async Task MoveAsync(CrashPoint point)
    {
        string n = _round.ToString(CultureInfo.InvariantCulture);
        if (point == CrashPoint.ServerRetentionCommitted)
        {
            // First of all: nothing of this round may have ended by then.
            await Server.PersistAsync(static rest => rest.PostAsync("/v1/retention"));
        }

        await SubmitAsync(
            HouseJob.Printing(Truth, "printing-" + n, bursts: 2, linesPerBurst: 20, pauseSeconds: 0.05) with
            {
                Locks = ["moving", "other"],
                Callback = Receiver.Url(),
            }
        );
        await SubmitAsync(HouseJob.Failing(Truth, "failing-" + n) with { Locks = ["other"], Callback = Receiver.Url("/failing") });
        string big = System.IO.Path.Combine(Server.Root, $"big-{n}.ipynb");
        // Says something else in each round: what is stored already is not stored again.
        await File.WriteAllTextAsync(big, BigNotebook(big));
        _big.Add(
            (
                big,
                await Server.PersistAsync(async rest =>
                {
                    RestReply reply = await rest.PostAsync(
                        "/v1/notebooks/run",
                        new JsonObject { ["path"] = big }.ToJsonString(),
                        "big-" + n
                    );
                    return reply.Must(reply.Status == 200 ? 200 : 201).Json.GetProperty("id").GetString()!;
                })
            )
        );
        _cells.Add((_free, _free.Execute($"print('cell {n}')"), "cell " + n));
        await Server.PersistAsync(async _ => await _edited.PutAsync("x", "x = " + n));
        await ProvokeAsync(point);
        await Server.PersistAsync(rest => rest.PostAsync("/v1/assets?leaseSeconds=0", "unwanted " + n));
        await Server.PersistAsync(static rest => rest.PostAsync("/v1/assets/prune", """{"client":"me"}"""));
    }

    private async Task ProvokeAsync(CrashPoint point)
    {
        switch (point)
        {
            case CrashPoint.ServerKernelRestartDue:
                JsonElement kernel = await Server.PersistAsync(async rest =>
                    (await rest.GetAsync("/v1/kernels/" + await SessionKernelAsync())).Must(200).Json
                );
                _ = Protocol.Processes.Libc.Kill(kernel.GetProperty("pid").GetInt32(), Protocol.Processes.Libc.SigKill);
                break;
            case CrashPoint.ServerKernelStoppedToRestart:
                await Server.PersistAsync(async rest => await rest.PostAsync($"/api/kernels/{await SessionKernelAsync()}/restart"));
                break;
            case CrashPoint.ServerSessionMoved:
                await Server.PersistAsync(rest =>
                    rest.SendAsync(
                        new HttpRequestMessage(HttpMethod.Patch, "/api/sessions/" + _session)
                        {
                            Content = new StringContent("""{"kernel":{"name":"python3"}}"""),
                        }
                    )
                );
                break;
        }
    }

    /// <summary>
    /// Balances the books of what has ended before a server starts that deletes it; only what is held is left in them. And makes something
    /// large for one that compresses.
    /// </summary>
    private async Task MakeOldAsync(CrashPoint point)
    {
        if (point == CrashPoint.ServerRetentionCommitted)
        {
            await CheckAsync(static key => !key.StartsWith("held", StringComparison.Ordinal));
        }

        string old = await Server.PersistAsync(static rest => rest.SubmitAsync("seq 1 60000"));
        await Server.PersistAsync(rest => rest.WaitAsync(old));
    }

    /// <summary>Of these, or of all, by their names: waits for their ends, and strikes them off.</summary>
    private async Task CheckAsync(Func<string, bool>? isMeant = null)
    {
        List<AcknowledgedJob> jobs = _jobs.FindAll(j => isMeant?.Invoke(j.Job.Key) ?? true);
        foreach (AcknowledgedJob job in jobs)
        {
            await Server.PersistAsync(rest => rest.WaitAsync(job.Id));
        }

        Violations violations = await new Promises(Server, Truth).CheckAsync(jobs);
        var notebooks = new NotebookPromises(Server, Truth);
        List<AcknowledgedRun> runs = _runs.FindAll(r => isMeant?.Invoke(r.Notebook.Name) ?? true);
        foreach (AcknowledgedRun run in runs)
        {
            await EndOfRunAsync(run.Id);
            await notebooks.CheckAsync(run, mayBreak: false, violations);
        }

        Assert.True(!violations.All.Any(), string.Join("\n", violations.All) + "\n" + Server.Log);
        Assert.Equal(0, notebooks.Lost);
        await CallbackPromise.CheckAsync(Server, Receiver, jobs, timesMax: 6);
        foreach ((string path, string id) in _big)
        {
            Assert.Equal("succeeded", (await EndOfRunAsync(id)).GetProperty("state").GetString());
            await CheckBigAsync(path);
        }

        var cells = _cells.FindAll(c => isMeant?.Invoke(c.Text) ?? true);
        foreach ((KernelClient client, string message, string text) in cells)
        {
            JsonElement cell = await client.ExecutionAsync(message, "succeeded");
            Assert.Equal(text + "\n", await Server.PersistAsync(rest => rest.OutputTextAsync(cell.GetProperty("id").GetString()!)));
        }

        List<JsonElement> stored = await KernelClient.ExecutionsAsync(Server);
        Assert.All(cells, c => Assert.Single(stored, e => e.GetProperty("messageId").GetString() == c.Message));
        _checkedJobs += jobs.Count;
        _checkedRuns += runs.Count + _big.Count;
        _checkedCells += cells.Count;
        _bytesCompared += violations.BytesCompared;
        _jobs.RemoveAll(jobs.Contains);
        _runs.RemoveAll(runs.Contains);
        _cells.RemoveAll(cells.Contains);
        _big.Clear();
    }

    private async Task EndOfRoundAsync()
    {
        await Server.PersistAsync(static async rest => (await rest.GetAsync("/readyz")).Must(200));
        foreach (AcknowledgedJob job in _jobs.TakeLast(2)) // Those that moved.
        {
            await Server.PersistAsync(rest => rest.WaitAsync(job.Id));
        }
    }

    private async Task<string> SessionKernelAsync() =>
        (await Server.Rest.GetAsync("/api/sessions/" + _session)).Must(200).Json.GetProperty("kernel").GetProperty("id").GetString()!;

    private async Task SubmitAsync(HouseJob job)
    {
        RestReply reply = await Server.PersistAsync(rest => rest.PostAsync("/v1/jobs", job.Request, job.Key));
        _jobs.Add(new AcknowledgedJob(job, reply.Must(reply.Status == 200 ? 200 : 201).Execution.Id));
    }

    private async Task<JsonElement> EndOfRunAsync(string id)
    {
        JsonElement run = default;
        await Patience.UntilAsync(
            async () => (run = await Server.PersistAsync(rest => rest.WaitForRunAsync(id))).GetProperty("state").GetString() != "running",
            $"run {id} ended"
        );
        return run;
    }

    private static string BigNotebook(string path) =>
        new JsonObject
        {
            ["cells"] = new JsonArray(
                new JsonObject
                {
                    ["cell_type"] = "code",
                    ["id"] = "big",
                    ["metadata"] = new JsonObject(),
                    ["outputs"] = new JsonArray(),
                    ["execution_count"] = null,
                    ["source"] = FormattableString.Invariant(
                        $"for i in range({LinesOfBig}):\n    print('{System.IO.Path.GetFileName(path)} line', i)"
                    ),
                }
            ),
            ["metadata"] = new JsonObject
            {
                ["kernelspec"] = new JsonObject { ["name"] = "python3", ["display_name"] = "Python 3" },
            },
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
        }.ToJsonString();

    private async Task CheckBigAsync(string path)
    {
        using var notebook = JsonDocument.Parse(await File.ReadAllBytesAsync(path));
        string hash = notebook
            .RootElement.GetProperty("cells")[0]
            .GetProperty("metadata")
            .GetProperty("holdfast")
            .GetProperty("assets")[0]
            .GetProperty("sha256")
            .GetString()!;
        Assert.Equal(
            string.Concat(Enumerable.Range(0, LinesOfBig).Select(i => $"{System.IO.Path.GetFileName(path)} line {i}\n")),
            (await Server.PersistAsync(rest => rest.GetAsync("/v1/assets/" + hash))).Must(200).Text
        );
    }

    private async Task EndKernelsAsync()
    {
        await Server.PersistAsync(rest => rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/api/sessions/" + _session)));
        foreach (string kernel in _kernels)
        {
            await Server.PersistAsync(rest => rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/v1/kernels/" + kernel)));
        }
    }
}
