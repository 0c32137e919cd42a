using System.Globalization;
using System.Text.Json;
using Holdfast.Protocol;
using Holdfast.SystemTests.Kernels;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Crashes;

/// <summary>
/// Kills the server while it stores what a client's cells have come to. The client and the kernel do not notice, and each cell is there
/// once.
/// </summary>
public sealed class ClientCellCrashTests
{
    private const int Cells = 5;

    public static TheoryData<CrashPoint, int, Loss> ServerDeaths => CrashCases.Of(CrashStory.ClientCells, isServer: true);

    [Theory]
    [MemberData(nameof(ServerDeaths))]
    public async Task Every_cell_that_was_sent_is_there_once_with_its_outcome_and_output(CrashPoint point, int arrival, Loss loss)
    {
        Assert.Equal(Loss.None, loss);
        await using CrashStage stage = CrashStage.Prepare(new CrashScenario(point, arrival, CrashStory.ClientCells, loss));
        using KernelClient client = await KernelClient.StartAsync(stage.Server);
        var sent = new List<string>();
        for (int i = 0; i < Cells; i++)
        {
            string file = stage.Server.PathOf(string.Create(CultureInfo.InvariantCulture, $"ran-{i}"));
            sent.Add(client.Execute(string.Create(CultureInfo.InvariantCulture, $"print({i}, file=open('{file}', 'a')); print({i})")));
            await Patience.UntilAsync(() => File.Exists(file), "the cell had run");
            if (!stage.HasCrashed)
            {
                await client.ExecutionAsync(sent[i], "succeeded");
            }
        }

        List<JsonElement> cells = [];
        for (int i = 0; i < Cells; i++)
        {
            cells.Add(await client.ExecutionAsync(sent[i], "succeeded"));
            string text = string.Create(CultureInfo.InvariantCulture, $"{i}\n");
            Assert.Equal(text, await stage.Server.PersistAsync(rest => rest.OutputTextAsync(cells[i].GetProperty("id").GetString()!)));
            Assert.Equal(
                text,
                await File.ReadAllTextAsync(
                    stage.Server.PathOf(string.Create(CultureInfo.InvariantCulture, $"ran-{i}")),
                    TestContext.Current.CancellationToken
                )
            );
        }

        await stage.WaitForCrashAsync();
        Assert.Equal(Cells, (await KernelClient.ExecutionsAsync(stage.Server)).Count);
    }
}
