using Holdfast.Protocol;
using Holdfast.Protocol.Journal;
using Holdfast.SystemTests.Crashes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Recovery;

/// <summary>Compressions that are cut short.</summary>
public sealed class CompressionCrashTests
{
    private const int Lines = 60_000;

    public static TheoryData<CrashPoint, int, Loss> Deaths => CrashCases.Of(CrashStory.Compression, isServer: true);

    /// <summary>
    /// Goal: a server that dies while it compresses leaves every byte readable, and the next one finishes. Method: two jobs end, the server
    /// dies over one of them.
    /// </summary>
    [Theory]
    [MemberData(nameof(Deaths))]
    public async Task A_compression_that_is_cut_short_loses_nothing_and_is_finished(CrashPoint point, int arrival, Loss loss)
    {
        await using CrashStage stage = CrashStage.Prepare(
            new CrashScenario(point, arrival, CrashStory.Compression, loss),
            "--compress-after",
            "1ms"
        );
        TestServer server = stage.Server;
        string[] ids = [await SubmitAsync("one"), await SubmitAsync("two")];
        foreach (string id in ids)
        {
            Assert.Equal("succeeded", (await server.PersistAsync(rest => rest.WaitAsync(id))).State);
        }

        await stage.WaitForCrashAsync();
        string expected = string.Concat(Enumerable.Range(1, Lines).Select(static n => $"{n}\n"));
        foreach (string id in ids)
        {
            string journal = server.AttemptsOf(id)[^1].Journal;
            await Patience.UntilAsync(
                async () => (await server.PersistAsync(static rest => rest.GetAsync("/readyz"))).Status == 200 && IsPacked(journal),
                "it was compressed by the next server"
            );
            Assert.Single(Directory.GetFiles(journal, "*.hfj*"));
            Assert.Equal(expected, (await server.PersistAsync(rest => rest.OutputAsync(id))).Must(200).Text);
            Assert.Equal(expected[100_000..], (await server.PersistAsync(rest => rest.OutputAsync(id, "stdout", 100_000))).Must(200).Text);
        }

        async Task<string> SubmitAsync(string key) =>
            (await server.PersistAsync(rest => rest.TrySubmitAsync(RestClient.Shell($"seq 1 {Lines}"), key))).Execution.Id;
    }

    private static bool IsPacked(string journal)
    {
        using SegmentFile segment = SegmentFile.Open(journal, 0);
        return segment.IsPacked;
    }
}
