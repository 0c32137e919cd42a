using System.Text.Json;
using Holdfast.Protocol;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Crashes;

/// <summary>Kills server and supervisor at the durable steps of a notebook run in a real ipykernel.</summary>
public sealed class NotebookCrashTests
{
    private const int Cells = 4;

    public static TheoryData<CrashPoint, int, Loss> ServerDeaths => CrashCases.Of(CrashStory.Notebook, isServer: true);

    public static TheoryData<CrashPoint, int, Loss> SupervisorDeaths => CrashCases.Of(CrashStory.Notebook, isServer: false);

    [Theory]
    [MemberData(nameof(ServerDeaths))]
    public Task A_run_whose_server_dies_goes_on_to_its_end(CrashPoint point, int arrival, Loss loss) =>
        PlayAsync(new CrashScenario(point, arrival, CrashStory.Notebook, loss), mayBreak: false);

    [Theory]
    [MemberData(nameof(SupervisorDeaths))]
    public Task A_run_whose_supervisor_dies_ends_and_says_of_each_cell_what_is_known(CrashPoint point, int arrival, Loss loss) =>
        PlayAsync(new CrashScenario(point, arrival, CrashStory.Notebook, loss), mayBreak: true);

    private static async Task PlayAsync(CrashScenario scenario, bool mayBreak)
    {
        await using CrashStage stage = CrashStage.Prepare(scenario);
        var notebook = new TruthNotebook(stage.Server, stage.Truth, "book", Cells, lines: 5);
        string id = await stage.Server.PersistAsync(rest => rest.RunOnceAsync(notebook));
        JsonElement run = default;
        await Patience.UntilAsync(
            async () =>
            {
                run = await stage.Server.PersistAsync(rest => rest.WaitForRunAsync(id));
                return run.GetProperty("state").GetString() != "running";
            },
            "the run ended"
        );

        // The last steps, of a supervisor and of a server, come after the run's end can be read.
        await stage.WaitForCrashAsync();
        var violations = new Violations();
        var promises = new NotebookPromises(stage.Server, stage.Truth);
        await promises.CheckAsync(new AcknowledgedRun(notebook, id), mayBreak, violations);
        Assert.True(!violations.All.Any(), string.Join("\n", violations.All) + "\n" + stage.Server.Log);
        Assert.InRange(promises.Lost, scenario.Loss == Loss.One ? 1 : 0, scenario.Loss == Loss.None ? 0 : 1);
        await stage.Server.MustLeaveNothingAsync();
    }
}
