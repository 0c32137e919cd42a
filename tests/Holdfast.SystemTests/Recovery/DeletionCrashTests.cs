using System.Globalization;
using System.Text.Json;
using Holdfast.Protocol;
using Holdfast.SystemTests.Crashes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Recovery;

/// <summary>Deletions that are cut short.</summary>
public sealed class DeletionCrashTests
{
    public static TheoryData<CrashPoint, int, Loss> Deaths => CrashCases.Of(CrashStory.Deletion, isServer: true);

    /// <summary>
    /// Goal: whatever a deletion leaves when it is killed is gone in the end, and nothing else is. Method: two jobs end, and one runs; the
    /// server dies while what is over is deleted, and is asked again.
    /// </summary>
    [Theory]
    [MemberData(nameof(Deaths))]
    public async Task A_deletion_that_is_cut_short_is_finished_and_takes_nothing_that_runs_with_it(CrashPoint point, int arrival, Loss loss)
    {
        await using CrashStage stage = CrashStage.Prepare(
            new CrashScenario(point, arrival, CrashStory.Deletion, loss),
            "--keep-executions",
            "1ms",
            "--slots",
            "4"
        );
        TestServer server = stage.Server;
        AcknowledgedJob[] over =
        [
            await stage.SubmitAsync(HouseJob.Short(stage.Truth, "one")),
            await stage.SubmitAsync(HouseJob.Short(stage.Truth, "two")),
        ];
        foreach (AcknowledgedJob job in over)
        {
            await stage.WaitAsync(job);
        }

        string alive = (await server.PersistAsync(static rest => rest.TrySubmitAsync(RestClient.Shell("sleep 1000"), "alive")))
            .Execution
            .Id;
        await server.PersistAsync(rest => rest.WaitForStateAsync(alive, "running"));
        await AskAsync("/v1/retention");
        await stage.WaitForCrashAsync();

        // What no row knows is young, and left alone for ten minutes: those have passed now.
        foreach (string folder in Directory.EnumerateDirectories(Path.Combine(server.Data, "attempts")))
        {
            Directory.SetLastWriteTimeUtc(folder, TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-1));
        }

        await AskAsync("/v1/recovery/orphans");
        await AskAsync("/v1/retention");

        foreach (AcknowledgedJob job in over)
        {
            Assert.Equal(404, (await server.PersistAsync(rest => rest.GetAsync($"/v1/executions/{job.Id}"))).Status);
        }

        Assert.Equal("running", (await server.PersistAsync(rest => rest.GetAsync($"/v1/executions/{alive}"))).Execution.State);
        Assert.Single(Directory.EnumerateDirectories(Path.Combine(server.Data, "attempts")));

        async Task AskAsync(string path) => Assert.Equal(200, (await server.PersistAsync(rest => rest.PostAsync(path))).Status);
    }
}
