using System.Globalization;
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
    public async Task A_run_whose_server_dies_goes_on_to_its_end(CrashPoint point, int arrival, Loss loss)
    {
        await using CrashStage stage = CrashStage.Prepare(new CrashScenario(point, arrival, CrashStory.Notebook, loss));
        var notebook = new TruthNotebook(stage.Server, stage.Truth, "book", Cells, lines: 5);
        (JsonElement run, List<JsonElement> cells) = await RunAsync(stage, notebook);

        Assert.True(stage.HasCrashed, run.ToString());
        Assert.Equal("succeeded", run.GetProperty("state").GetString());
        AssertNothingRanTwice(stage);
        Assert.Equal(Cells, stage.Truth.Read().Count(static t => t.Word.StartsWith("end", StringComparison.Ordinal)));
        List<string> saved = notebook.SavedOutputs();
        for (int cell = 0; cell < Cells; cell++)
        {
            Assert.Equal(notebook.OutputOf(cell), saved[cell]);
            string id = cells[cell].GetProperty("executionId").GetString()!;
            Assert.Equal(notebook.OutputOf(cell), await stage.Server.PersistAsync(rest => rest.OutputTextAsync(id)));
        }

        await stage.Server.MustLeaveNothingAsync();
    }

    [Theory]
    [MemberData(nameof(SupervisorDeaths))]
    public async Task A_run_whose_supervisor_dies_ends_and_says_of_each_cell_what_is_known(CrashPoint point, int arrival, Loss loss)
    {
        await using CrashStage stage = CrashStage.Prepare(new CrashScenario(point, arrival, CrashStory.Notebook, loss));
        var notebook = new TruthNotebook(stage.Server, stage.Truth, "book", Cells, lines: 5);
        (JsonElement run, List<JsonElement> cells) = await RunAsync(stage, notebook);

        // The kernel's own end comes after that of the run.
        await stage.WaitForCrashAsync();
        AssertNothingRanTwice(stage);
        List<string> told = stage.Truth.Read().ConvertAll(static t => t.Word);
        string story = $"{run}\ntold: {string.Join(", ", told)}\n{stage.Server.Log}";
        for (int cell = 0; cell < Cells; cell++)
        {
            string state = cells[cell].GetProperty("state").GetString()!;
            bool hasStarted = told.Contains($"start-{cell}");
            bool hasEnded = told.Contains($"end-{cell}");
            Assert.True(
                state switch
                {
                    "succeeded" => hasEnded,
                    "lost" => !string.IsNullOrEmpty(cells[cell].GetProperty("reason").GetString()),
                    "cancelled" => !hasStarted,
                    _ => false,
                },
                $"Cell {cell} is {state}. {story}");
            string id = cells[cell].GetProperty("executionId").GetString()!;
            Assert.StartsWith(await stage.Server.PersistAsync(rest => rest.OutputTextAsync(id)), notebook.OutputOf(cell), StringComparison.Ordinal);
        }

        int lost = cells.Count(static c => c.GetProperty("state").GetString() == "lost");
        Assert.True(loss switch { Loss.None => lost == 0, Loss.One => lost == 1, _ => lost <= 1 }, $"{lost} cells are lost. {story}");
        bool isWhole = cells.TrueForAll(static c => c.GetProperty("state").GetString() == "succeeded");
        Assert.Equal(isWhole, run.GetProperty("state").GetString() == "succeeded");
        await stage.Server.MustLeaveNothingAsync();
    }

    private static async Task<(JsonElement Run, List<JsonElement> Cells)> RunAsync(CrashStage stage, TruthNotebook notebook)
    {
        string id = await stage.Server.PersistAsync(async rest => await FindRunAsync(rest) ?? (await rest.PostAsync("/v1/notebooks/run", notebook.Request)).Must(201).Json.GetProperty("id").GetString()!);
        JsonElement run = default;
        await Patience.UntilAsync(
            async () =>
            {
                run = await stage.Server.PersistAsync(async rest => (await rest.GetAsync($"/v1/notebooks/runs/{id}?timeoutSeconds=30")).Must(200).Json);
                return run.GetProperty("state").GetString() != "running";
            },
            "the run ended");
        return (run, [.. run.GetProperty("cells").EnumerateArray()]);
    }

    /// <summary>A run may have been made durable by a server that died before it could say so; asking again would make another.</summary>
    private static async Task<string?> FindRunAsync(RestClient rest)
    {
        JsonElement executions = (await rest.GetAsync("/v1/executions?kind=cell&limit=1")).Must(200).Json.GetProperty("executions");
        return executions.GetArrayLength() == 0 ? null : executions[0].GetProperty("runId").GetString();
    }

    private static void AssertNothingRanTwice(CrashStage stage) =>
        Assert.All(stage.Truth.Read().CountBy(static t => t.Word), static told => Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"1 {told.Key}"), string.Create(CultureInfo.InvariantCulture, $"{told.Value} {told.Key}")));
}
