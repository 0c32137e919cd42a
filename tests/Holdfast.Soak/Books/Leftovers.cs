using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Holdfast.Soak.Load;
using Holdfast.SystemTests.Serving;

namespace Holdfast.Soak.Books;

/// <summary>
/// What is left of a house from which everything has gone: 1. kernels and terminals are ended; then nothing may run. 2. Nobody waits for
/// anything, holds anything or is owed anything.
/// 3. What was kept is let go by retention; then 4. the server stops, and no supervisor, socket, file or row of it may be left, but for
/// what the open notebook still shows.
/// </summary>
internal sealed class Leftovers(Stage stage, TimeSpan kept)
{
    private static readonly string[] EmptyFolders = ["attempts", "trash"];

    /// <summary>The sweep for orphans leaves what is younger alone: it may be in the making.</summary>
    private static readonly TimeSpan SweptFrom = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Rows that are nobody's left over: settings, sums, the last start-ups, the trail of who did what, and the feed's last event.
    /// </summary>
    private static readonly string[] KeptTables =
    [
        "audit",
        "execution_statistics",
        "meta",
        "recovery_starts",
        "tokens",
        "settings",
        "schema_migrations",
    ];

    public long Processes { get; private set; }
    public long Sockets { get; private set; }
    public long Files { get; private set; }
    public long Rows { get; private set; }

    /// <summary>What there is in the store in the end, by table.</summary>
    public SortedDictionary<string, long> Tables { get; } = new(StringComparer.Ordinal);

    private TestServer Server => stage.Server;

    public async Task CheckAsync()
    {
        await EndAllAsync();
        await CheckDoorsAsync();
        await Task.Delay(kept, TimeProvider.System);
        for (int pass = 0; pass < 3; pass++)
        {
            // Kernels go when their cells have, and what is set aside after its grace.
            (await stage.House.PersistAsync(rest => rest.PostAsync("/v1/retention"))).Must(200);
            (await stage.House.PersistAsync(rest => rest.PostAsync("/v1/recovery/orphans", """{"reason":"the end of the run"}"""))).Must(
                200
            );
        }

        int code = await stage.House.StopAsync();
        if (code != 0)
        {
            stage.Ledger.Break(Fault.WrongOutcome, $"The last server ended with {code.ToString(CultureInfo.InvariantCulture)}.");
        }

        await CheckProcessesAsync(HouseProcesses.Supervisors, "after the server");
        CheckFolders();
        await CheckRowsAsync();
    }

    private async Task EndAllAsync()
    {
        foreach (
            (string list, string member, string id, string delete) in ((string, string, string, string)[])
                [("/v1/kernels", "kernels", "id", "/v1/kernels/"), ("/api/terminals", "", "name", "/api/terminals/")]
        )
        {
            JsonElement all = (await stage.House.PersistAsync(rest => rest.GetAsync(list))).Must(200).Json;
            foreach (JsonElement one in (member.Length > 0 ? all.GetProperty(member) : all).EnumerateArray())
            {
                RestReply reply = await stage.House.PersistAsync(rest =>
                    rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, delete + one.GetProperty(id).GetString()))
                );
                if (reply.Status is not (200 or 204 or 404 or 409))
                {
                    stage.Ledger.Break(Fault.LeftOver, $"DELETE {delete} was answered {reply.Status}: {reply.Text}");
                }
            }
        }

        await CheckProcessesAsync(HouseProcesses.Work, "of ended work");
    }

    private async Task CheckDoorsAsync()
    {
        foreach (string state in (string[])["waiting", "queued", "starting", "running", "paused"])
        {
            JsonElement open = (await stage.House.PersistAsync(rest => rest.GetAsync("/v1/executions?state=" + state)))
                .Must(200)
                .Json.GetProperty("executions");
            Left(open.GetArrayLength(), $"{state} executions: {open}");
        }

        JsonElement locks = (await stage.House.PersistAsync(rest => rest.GetAsync("/v1/locks"))).Must(200).Json;
        Left(locks.GetArrayLength(), $"locks: {locks}");
        foreach (string state in (string[])["waiting", "pending", "sending", "parked"])
        {
            JsonElement callbacks = (await stage.House.PersistAsync(rest => rest.GetAsync("/v1/callbacks?state=" + state))).Must(200).Json;
            Left(callbacks.GetArrayLength(), $"{state} callbacks: {callbacks}");
        }

        JsonElement integrity = (await stage.House.PersistAsync(rest => rest.GetAsync("/v1/doctor/integrity"))).Must(200).Json;
        if (integrity.TryGetProperty("problems", out JsonElement problems) && problems.GetArrayLength() > 0)
        {
            stage.Ledger.Break(Fault.LeftOver, $"the store says {integrity}");
        }
    }

    private async Task CheckProcessesAsync(Func<string, List<HouseProcess>> find, string which)
    {
        try
        {
            await Patience.UntilAsync(() => find(Server.Data).Count == 0, "nothing ran any more");
        }
        catch (TimeoutException)
        {
            List<HouseProcess> left = find(Server.Data);
            Processes += left.Count;
            stage.Ledger.Break(Fault.LeftOver, $"processes {which}: {string.Join("; ", left)}");
        }
    }

    private void CheckFolders()
    {
        foreach (string folder in EmptyFolders)
        {
            string path = Path.Combine(Server.Data, folder);
            string[] all = Directory.Exists(path) ? Directory.GetFileSystemEntries(path) : [];
            string[] left = Array.FindAll(all, static entry => !IsSetAside(entry) && IsOld(entry));
            stage.Ledger.Did("folders without a row, set aside by a sweep or too young for one", all.Length - left.Length);
            Files += left.Length;
            if (left.Length > 0)
            {
                stage.Ledger.Break(
                    Fault.LeftOver,
                    $"{left.Length} in {folder}: {string.Join(", ", left.Take(5).Select(Path.GetFileName))}"
                );
            }
        }

        // A supervisor that is killed between two jobs leaves its socket to the sweep.
        string[] sockets = Directory.GetFileSystemEntries(Path.Combine(Server.Data, "run"));
        string[] old = Array.FindAll(sockets, IsOld);
        Sockets += old.Length;
        stage.Ledger.Did("sockets of killed supervisors, not yet swept", sockets.Length - old.Length);
        if (old.Length > 0)
        {
            stage.Ledger.Break(Fault.LeftOver, $"{old.Length} sockets: {string.Join(", ", old.Take(5).Select(Path.GetFileName))}");
        }
    }

    private static bool IsOld(string path) => TimeProvider.System.GetUtcNow().UtcDateTime - File.GetLastWriteTimeUtc(path) > SweptFrom;

    /// <summary>
    /// In the trash, under a name that tells when it goes: what a death between a deletion's commit and its folders left is given a day of
    /// grace by the sweep.
    /// </summary>
    private static bool IsSetAside(string path) =>
        Path.GetFileName(Path.GetDirectoryName(path)) == "trash"
        && long.TryParse(Path.GetFileName(path).Split('-')[0], NumberStyles.None, CultureInfo.InvariantCulture, out long due)
        && due > TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    private async Task CheckRowsAsync()
    {
        var start = new ProcessStartInfo(
            "/usr/bin/python3",
            [Path.Combine(AppContext.BaseDirectory, "Books", "rows.py"), Path.Combine(Server.Data, "holdfast.db")]
        )
        {
            RedirectStandardOutput = true,
        };
        using Process python = Process.Start(start)!;
        foreach (string line in (await python.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.Split(' ');
            Tables[parts[0]] = long.Parse(parts[1], CultureInfo.InvariantCulture);
        }
    }

    private void Left(int count, string what)
    {
        if (count > 0)
        {
            Rows += count;
            stage.Ledger.Break(Fault.LeftOver, $"{count} {what}");
        }
    }
}
