using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Processes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Recovery;

/// <summary>
/// Every file of the data directory, damaged in every way that a disk or a hand may find: the server starts, only what is damaged suffers,
/// and it is named where a person can do something about it. Files without permission are not among them, as these tests may run as root,
/// whom nothing is forbidden.
/// </summary>
public sealed class DamagedFileTests
{
    public enum Damage
    {
        Torn,
        Empty,
        Zeros,
        Future,
        Foreign,
        Huge,
        Folder,
        Fifo,
        Link,
    }

    private static readonly Damage[] All = Enum.GetValues<Damage>();

    /// <summary>A job that runs, the file of its folder that was damaged, and how.</summary>
    private sealed record Victim(string Id, AttemptFiles Files, string File, Damage Damage);

    /// <summary>
    /// Goal: no file of a running job's folder, whatever became of it, ends, doubles or hides another job, and its own is taken up again
    /// when it is mended. Method: a job for each file and damage, all running; the server is killed, each has its file damaged, and the
    /// server starts.
    /// </summary>
    [Fact]
    public async Task Of_running_jobs_only_the_damaged_are_set_aside_and_all_are_finished_when_they_are_mended()
    {
        string[] names = ["spec.json", "supervisor.json", "child.json", "exit.json", "lock", "void", "supervisor.log"];
        int count = names.Length * All.Length;
        await using TestServer server = await TestServer.StartAsync(
            new TestServerOptions { Arguments = ["--slots", (count + 1).ToString(CultureInfo.InvariantCulture)] }
        );
        string gate = server.PathOf("gate");
        string outside = server.PathOf("outside");
        File.WriteAllText(outside, "somebody else's");
        string script = $"echo one; echo start >>'{server.PathOf("truth")}'; while [ ! -e '{gate}' ]; do sleep 0.1; done; echo two";
        string[] ids = await Task.WhenAll(Enumerable.Range(0, count + 1).Select(_ => server.Rest.SubmitAsync(script)));
        await Task.WhenAll(ids.Select(id => server.Rest.WaitForStateAsync(id, "running")));
        await server.KillAsync();
        Dictionary<string, AttemptFiles> files = ids.ToDictionary(static id => id, id => server.AttemptsOf(id).Single());
        List<Victim> victims =
        [
            .. names.SelectMany(n => All.Select(d => (n, d))).Select((c, i) => new Victim(ids[i], files[ids[i]], c.n, c.d)),
        ];
        foreach (Victim victim in victims)
        {
            Break(Path.Combine(victim.Files.Directory, victim.File), victim.Damage, outside, server.PathOf("kept-" + victim.Id));
        }

        await server.StartAgainAsync();

        JsonElement[] report = [.. (await server.Rest.GetAsync("/v1/recovery")).Must(200).Json.GetProperty("attempts").EnumerateArray()];
        string VerdictOf(string id) =>
            report.Single(a => a.GetProperty("executionId").GetString() == id).GetProperty("verdict").GetString()!;
        string ReasonOf(string id) =>
            report.Single(a => a.GetProperty("executionId").GetString() == id).GetProperty("reason").GetString() ?? "";
        Assert.Equal("readopted", VerdictOf(ids[^1]));
        string[] wrong =
        [
            .. victims
                .Where(v =>
                    VerdictOf(v.Id) is not ("readopted" or "quarantined")
                    || (VerdictOf(v.Id) == "quarantined" && !ReasonOf(v.Id).Contains(v.File, StringComparison.Ordinal))
                )
                .Select(v => $"{v.File} {v.Damage}: {VerdictOf(v.Id)} {ReasonOf(v.Id)}"),
        ];
        Assert.Empty(wrong);
        Assert.All(
            victims.Where(static v => v.Damage == Damage.Future || v.File is "spec.json" or "supervisor.log"),
            v => Assert.Equal("readopted", VerdictOf(v.Id))
        );

        // A record that is gone is not needed by a server that knows socket and nonce: what runs can be paused, cancelled and so on.
        string[] unrecorded = [.. victims.Where(static v => v.File == "supervisor.json").Select(static v => v.Id)];
        await Patience.UntilAsync(
            async () =>
                (await server.Rest.GetAsync("/v1/supervisors"))
                    .Must(200)
                    .Json.GetProperty("supervisors")
                    .EnumerateArray()
                    .Where(s => unrecorded.Contains(s.GetProperty("executionId").GetString()))
                    .All(static s => s.GetProperty("liveness").GetString() == "fresh"),
            "supervisors without a record were had"
        );

        foreach (Victim victim in victims.Where(v => VerdictOf(v.Id) == "quarantined"))
        {
            Mend(Path.Combine(victim.Files.Directory, victim.File), server.PathOf("kept-" + victim.Id));
            RestReply reply = (await server.Rest.PostAsync("/v1/recovery/retry", $$"""{"item":"{{victim.Id}}"}""")).Must(200);
            Assert.True(
                reply.Json.GetProperty("attempt").GetProperty("verdict").GetString() == "readopted",
                $"{victim.File} {victim.Damage}: {reply.Text}"
            );
        }

        // Nothing can be renamed over a folder: whose record of its end lies under one waits, as on a full disk.
        foreach (Victim victim in victims.Where(static v => v is { File: "exit.json", Damage: Damage.Folder }))
        {
            Mend(Path.Combine(victim.Files.Directory, victim.File));
        }

        File.WriteAllText(gate, "");
        foreach (string id in ids)
        {
            Victim? victim = victims.Find(v => v.Id == id);
            ExecutionReply end;
            try
            {
                end = await server.Rest.WaitAsync(id);
            }
            catch (TimeoutException e)
            {
                throw new TimeoutException($"{victim?.File} {victim?.Damage}: {e.Message} {server.Log}");
            }

            Assert.True((end.State, end.ExitCode) == ("succeeded", 0), $"{victim?.File} {victim?.Damage}: {end.State}");
            Assert.Equal("one\ntwo\n", await server.Rest.OutputTextAsync(id));
        }

        Assert.Equal(ids.Length, File.ReadLines(server.PathOf("truth")).Count());
        Assert.Equal("somebody else's", File.ReadAllText(outside));
        await server.MustLeaveNothingAsync();
    }

    /// <summary>
    /// Goal: a damaged journal costs its own output from the damage on, is said so, and costs nothing else. Method: ended jobs, plain and
    /// packed, their files damaged; each is read, and the one between.
    /// </summary>
    [Fact]
    public async Task Of_ended_jobs_a_damaged_journal_gives_what_comes_before_and_then_says_so()
    {
        await using TestServer server = await TestServer.StartAsync(new TestServerOptions { Arguments = ["--compress-after", "0"] });
        string outside = server.PathOf("outside");
        File.WriteAllText(outside, "somebody else's");
        string whole = string.Concat(Enumerable.Range(1, 40_000).Select(static n => $"{n}\n"));
        (string Suffix, bool IsPacked)[] kinds = [(".hfj", false), (".hfj", true), (".hfx", false), (".cut", false), (".hfj.tmp", false)];
        int count = kinds.Length * All.Length;
        string[] ids = await Task.WhenAll(Enumerable.Range(0, count + 1).Select(_ => server.Rest.SubmitAsync("seq 1 40000")));
        await Task.WhenAll(ids.Select(server.Rest.WaitAsync));
        await server.KillAsync();
        var cases = kinds.SelectMany(k => All.Select(d => (Kind: k, Damage: d))).Select((c, i) => (c.Kind, c.Damage, Id: ids[i])).ToList();
        foreach (((string suffix, bool isPacked), Damage damage, string id) in cases)
        {
            AttemptFiles files = server.AttemptsOf(id).Single();
            Assert.Equal(isPacked, isPacked && SegmentPacker.Pack(files.Journal, 0, TestContext.Current.CancellationToken).IsPacked);
            Break(Path.Combine(files.Journal, "00000000000000000000" + suffix), damage, outside);
        }

        await server.StartAgainAsync();

        Assert.Equal(whole, await server.Rest.OutputTextAsync(ids[^1]));
        foreach (((string suffix, bool isPacked), Damage damage, string id) in cases)
        {
            string name = $"{suffix} {isPacked} {damage}";
            Assert.Equal("succeeded", (await server.Rest.ExecutionAsync(id)).State);
            (string text, string? code) = await ReadAsync(server.Rest, id);
            Assert.True(whole.StartsWith(text, StringComparison.Ordinal), name);
            bool isHarmless = suffix != ".hfj" || damage is Damage.Future;
            Assert.True(
                isHarmless ? text == whole && code is null : text.Length < whole.Length && code == "output-unreadable",
                $"{name}: {text.Length} {code}"
            );
        }

        Assert.Equal("somebody else's", File.ReadAllText(outside));
    }

    /// <summary>
    /// Goal: of what is not the store, nothing keeps a server from starting. Method: for each damage, all such files at once.
    /// </summary>
    [Fact]
    public async Task Of_everything_beside_the_store_no_damage_keeps_the_server_from_starting_or_costs_a_job()
    {
        await using TestServer server = await TestServer.StartAsync();
        string outside = server.PathOf("outside");
        File.WriteAllText(outside, "somebody else's");
        string gate = server.PathOf("gate");
        string kept = await server.Rest.SubmitAsync("echo kept");
        await server.Rest.WaitAsync(kept);
        string running = await server.Rest.SubmitAsync($"while [ ! -e '{gate}' ]; do sleep 0.1; done; echo two");
        await server.Rest.WaitForStateAsync(running, "running");
        foreach (Damage damage in All)
        {
            await server.KillAsync();
            string[] files =
            [
                "config/notebook.json",
                "settings/x.json",
                "workspaces/x.json",
                "uploads/.note",
                "clients/x/y",
                "trust/ab/" + new string('a', 64),
                "trash/1-x",
                "server.json.tmp",
                "token.tmp",
                "attempts/foreign",
                "attempts/01kcq8v6t0e9m3n5p7r9s1v3x5",
                "conversions/x",
                "run/abcdefghijkl.sock",
                "assets/ab/cd",
            ];
            foreach (string file in files)
            {
                string path = Path.Combine(server.Data, file);
                Mend(path);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                Break(path, damage, outside);
            }

            await server.StartAgainAsync();
            Assert.Equal("kept\n", await server.Rest.OutputTextAsync(kept));
            Assert.Equal("running", (await server.Rest.ExecutionAsync(running)).State);
            Assert.InRange((await server.Rest.PostAsync("/v1/recovery/orphans")).Status, 200, 299);
            RestReply config = await server.Rest.GetAsync("/api/config/notebook");
            Assert.True(config.Status is >= 200 and < 500, $"config {damage}: {config.Status} {config.Text}");
        }

        File.WriteAllText(gate, "");
        Assert.Equal("succeeded", (await server.Rest.WaitAsync(running)).State);
        Assert.Equal("somebody else's", File.ReadAllText(outside));
    }

    public static TheoryData<string, Damage[]> OfTheStore =>
        new()
        {
            { "holdfast.db", [Damage.Torn, Damage.Empty, Damage.Zeros, Damage.Foreign, Damage.Folder, Damage.Fifo, Damage.Link] },
            { "token", [Damage.Empty, Damage.Zeros, Damage.Huge, Damage.Folder, Damage.Fifo] },
            { "server.json", [Damage.Torn, Damage.Foreign, Damage.Huge, Damage.Folder, Damage.Fifo, Damage.Link] },
            { "server.lock", [Damage.Foreign, Damage.Folder, Damage.Fifo, Damage.Link] },
        };

    /// <summary>
    /// A server whose store, token or lock is damaged starts whole, or not at all and says so in a sentence: never with half of it, and
    /// never late.
    /// </summary>
    [Theory]
    [MemberData(nameof(OfTheStore))]
    public async Task A_damaged_store_token_or_lock_is_refused_with_a_sentence_or_does_no_harm(string file, Damage[] damages)
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.Rest.SubmitAsync("echo kept");
        await server.Rest.WaitAsync(id);
        Assert.Equal(0, await server.StopAsync());
        string outside = server.PathOf("outside");
        File.WriteAllText(outside, "somebody else's");
        string path = Path.Combine(server.Data, file);
        byte[] before = File.Exists(path) ? File.ReadAllBytes(path) : "{}"u8.ToArray(); // server.json is withdrawn at a stop.
        foreach (Damage damage in damages)
        {
            Mend(path);
            File.WriteAllBytes(path, before);
            Break(path, damage, outside);
            int log = server.Log.Length;

            server.Launch();
            await Patience.UntilAsync(
                () => server.HasDied || server.Log[log..].Contains("listens on", StringComparison.Ordinal),
                $"it listened or had ended, {damage}"
            );
            Assert.True(server.HasDied || file != "holdfast.db", $"{damage}: a server without its store began anew.");
            if (server.HasDied)
            {
                Assert.Matches($"{path}|holdfast doctor", server.Log[log..]); // The file, or what finds it.
                Assert.DoesNotContain("   at ", server.Log[log..], StringComparison.Ordinal);
            }

            await server.KillAsync();
            Assert.Equal("somebody else's", File.ReadAllText(outside));
        }

        Mend(path);
        if (file != "server.json")
        {
            File.WriteAllBytes(path, before);
        }

        if (file == "holdfast.db")
        {
            File.Delete(path + "-wal");
            File.Delete(path + "-shm");
        }

        await server.StartAgainAsync();
        Assert.Equal("kept\n", await server.Rest.OutputTextAsync(id));
    }

    /// <summary>Reads as a stubborn caller: on from where it broke off, until it is complete or refused.</summary>
    private static async Task<(string Text, string? Code)> ReadAsync(RestClient rest, string id)
    {
        var text = new StringBuilder();
        int limit = 100_000;
        while (true)
        {
            RestReply reply;
            try
            {
                reply = await rest.OutputAsync(id, "all", text.Length, limit);
            }
            catch (HttpRequestException)
            {
                limit = Math.Max(1, limit / 4); // It broke off on the way: less of it is whole.
                continue;
            }

            if (reply.Status != 200)
            {
                return (text.ToString(), reply.Code);
            }

            text.Append(reply.Text);
            if (reply.Header("Holdfast-Complete") == "true")
            {
                return (text.ToString(), null);
            }
        }
    }

    /// <param name="kept">Where the file itself is put, so that it can be put back: a lock is the file's, not its name's.</param>
    private static void Break(string path, Damage damage, string outside, string? kept = null)
    {
        byte[] content = File.Exists(path) ? PlainFile.Read(path, int.MaxValue) : "{}"u8.ToArray();
        if (kept is not null && damage != Damage.Future && File.Exists(path))
        {
            File.Move(path, kept);
        }

        if (damage != Damage.Future || !File.Exists(path))
        {
            Mend(path);
        }

        switch (damage)
        {
            case Damage.Torn:
                File.WriteAllBytes(path, content[..(content.Length / 2)]);
                break;
            case Damage.Empty:
                File.WriteAllBytes(path, []);
                break;
            case Damage.Zeros:
                File.WriteAllBytes(path, new byte[content.Length]);
                break;
            case Damage.Foreign:
                File.WriteAllText(path, "This is not what it was.\n");
                break;
            case Damage.Folder:
                Directory.CreateDirectory(path);
                break;
            case Damage.Link:
                File.CreateSymbolicLink(path, outside);
                break;
            case Damage.Fifo:
                Assert.Equal(0, MakeFifo(path));
                break;
            case Damage.Huge:
                using (FileStream file = File.Create(path))
                {
                    file.SetLength(5L << 30);
                }

                break;
            case Damage.Future:
                if (!File.Exists(path))
                {
                    File.WriteAllBytes(path, content);
                }

                File.SetLastWriteTimeUtc(path, TimeProvider.System.GetUtcNow().UtcDateTime.AddYears(10));
                break;
        }
    }

    private static void Mend(string path, string? kept = null)
    {
        if (Directory.Exists(path) && new FileInfo(path).LinkTarget is null)
        {
            Directory.Delete(path, recursive: true);
        }
        else if (Directory.Exists(Path.GetDirectoryName(path)))
        {
            File.Delete(path);
        }

        if (kept is not null && File.Exists(kept))
        {
            File.Move(kept, path);
        }
    }

    private static int MakeFifo(string path)
    {
        using var make = System.Diagnostics.Process.Start("/usr/bin/mkfifo", [path])!;
        make.WaitForExit();
        return make.ExitCode;
    }
}
