using Holdfast.Protocol;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Crashes;

/// <summary>Kills the server at the durable steps between an edit of a reactive notebook and what autorun makes of it.</summary>
public sealed class EditCrashTests
{
    public static TheoryData<CrashPoint, int, Loss> ServerDeaths => CrashCases.Of(CrashStory.Edit, isServer: true);

    [Theory]
    [MemberData(nameof(ServerDeaths))]
    public async Task What_an_edit_has_for_consequences_comes_to_be_though_the_server_died_and_nobody_asks_again(
        CrashPoint point,
        int arrival,
        Loss loss
    )
    {
        await using CrashStage stage = CrashStage.Prepare(new CrashScenario(point, arrival, CrashStory.Edit, loss));
        var book = new ReactiveBook(
            stage.Server,
            "book",
            ("x", "x = 1"),
            ("y", $"open('{stage.Truth.Path}', 'a').write('y 0 ran\\n')\nprint(x)"),
            ("apart", "1 / 0")
        );
        await stage.Server.PersistAsync(async _ =>
        {
            await book.ModeAsync(isAutorun: true);
            return true;
        });
        await stage.Server.PersistAsync(async _ => await book.PutAsync("x", "x = 41 + 1"));
        await stage.WaitForCrashAsync();
        await stage.Server.PersistAsync(static rest => rest.GetAsync("/readyz")); // Starts it again; nothing about the notebook is asked.

        await book.WaitForOutputAsync("y", "42\n");
        Assert.Single(stage.Truth.Read());
        Assert.Equal("", book.Output("apart"));
        string kernel = await stage.Server.PersistAsync(async _ =>
        {
            await book.WaitForFreshnessAsync("x:fresh y:fresh apart:stale");
            return (await book.LatestCascadeAsync())!.Value.GetProperty("kernelId").GetString()!;
        });
        await stage.Server.PersistAsync(rest => rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, $"/v1/kernels/{kernel}")));
        await stage.Server.MustLeaveNothingAsync();
    }
}
