using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.Protocol;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Crashes;

/// <summary>Kills the server at the durable steps of keeping and deleting assets.</summary>
public sealed class AssetCrashTests
{
    private const int Lines = 500;

    public static TheoryData<CrashPoint, int, Loss> Deaths => CrashCases.Of(CrashStory.Assets, isServer: true);

    /// <summary>
    /// Goal: what was acknowledged or stands in a notebook is there, what was deleted is gone, and no file is left over. Method: a cell
    /// says too much for its notebook, one thing is uploaded and pinned and another not, which is then pruned; the server dies somewhere in
    /// between.
    /// </summary>
    [Theory]
    [MemberData(nameof(Deaths))]
    public async Task What_is_referred_to_is_there_and_what_was_deleted_is_gone(CrashPoint point, int arrival, Loss loss)
    {
        await using CrashStage stage = CrashStage.Prepare(
            new CrashScenario(point, arrival, CrashStory.Assets, loss),
            "--inline-output",
            "1K"
        );
        TestServer server = stage.Server;
        await File.WriteAllTextAsync(Path.Combine(server.Root, "big.ipynb"), Notebook, TestContext.Current.CancellationToken);

        string run = (await server.PersistAsync(static rest => rest.PostAsync("/v1/notebooks/run", """{"path": "big.ipynb"}""", "once")))
            .Json.GetProperty("id")
            .GetString()!;
        await Patience.UntilAsync(
            async () =>
                (await server.PersistAsync(rest => rest.GetAsync($"/v1/notebooks/runs/{run}?timeoutSeconds=30")))
                    .Json.GetProperty("state")
                    .GetString() != "running",
            "the run ended"
        );
        string output = HashIn(await File.ReadAllTextAsync(Path.Combine(server.Root, "big.ipynb"), TestContext.Current.CancellationToken));
        string kept = await UploadAsync("kept", "?leaseSeconds=0&pin=me");
        string unwanted = await UploadAsync("unwanted", "?leaseSeconds=0");

        await server.PersistAsync(rest =>
            rest.PostAsync("/v1/assets/prune", new JsonObject { ["client"] = "me", ["references"] = new JsonArray(kept) }.ToJsonString())
        );
        await stage.WaitForCrashAsync();

        foreach (string file in Directory.EnumerateFiles(Path.Combine(server.Data, "assets"), "*", SearchOption.AllDirectories))
        {
            File.SetLastWriteTimeUtc(file, TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-1)); // What is young is left alone.
        }

        (await server.PersistAsync(static rest => rest.PostAsync("/v1/recovery/orphans"))).Must(200);
        Assert.Equal(string.Concat(Enumerable.Range(0, Lines).Select(static i => $"line {i}\n")), (await GetAsync(output)).Must(200).Text);
        Assert.Equal("kept", (await GetAsync(kept)).Must(200).Text);
        Assert.Equal("asset-not-found", (await GetAsync(unwanted)).Must(404).Code);
        Assert.Equal(
            new[] { output, kept }.Order(),
            Directory
                .EnumerateFiles(Path.Combine(server.Data, "assets"), "*", SearchOption.AllDirectories)
                .Select(static f => Path.GetFileName(f))
                .Order()
        );

        Task<RestReply> GetAsync(string hash) => server.PersistAsync(rest => rest.GetAsync($"/v1/assets/{hash}"));

        async Task<string> UploadAsync(string text, string query) =>
            (await server.PersistAsync(rest => rest.PostAsync("/v1/assets" + query, text))).Json.GetProperty("sha256").GetString()!;
    }

    private static string Notebook =>
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
                    ["source"] = FormattableString.Invariant($"for i in range({Lines}):\n    print('line', i)"),
                }
            ),
            ["metadata"] = new JsonObject
            {
                ["kernelspec"] = new JsonObject { ["name"] = "python3", ["display_name"] = "Python 3" },
            },
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
        }.ToJsonString();

    /// <summary>As a program finds it: by the cell's metadata.</summary>
    private static string HashIn(string notebook)
    {
        using JsonDocument json = JsonDocument.Parse(notebook);
        return json
            .RootElement.GetProperty("cells")[0]
            .GetProperty("metadata")
            .GetProperty("holdfast")
            .GetProperty("assets")[0]
            .GetProperty("sha256")
            .GetString()!;
    }
}
