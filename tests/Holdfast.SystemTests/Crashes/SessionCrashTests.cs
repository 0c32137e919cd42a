using System.Text.Json;
using Holdfast.Protocol;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Crashes;

/// <summary>
/// Kills the server at the durable steps of a session's life: its start, a restart of its kernel, and its change to another kernel.
/// </summary>
public sealed class SessionCrashTests
{
    private const string Wanted = """{"path":"a.ipynb","type":"notebook","kernel":{"name":"python3"}}""";

    public static TheoryData<CrashPoint, int, Loss> ServerDeaths => CrashCases.Of(CrashStory.Session, isServer: true);

    [Theory]
    [MemberData(nameof(ServerDeaths))]
    public async Task A_session_has_one_kernel_in_the_end_whatever_becomes_of_the_server(CrashPoint point, int arrival, Loss loss)
    {
        await using CrashStage stage = CrashStage.Prepare(new CrashScenario(point, arrival, CrashStory.Session, loss));

        // What is asked again is the same session, however often it died under the question.
        JsonElement session = await stage.Server.PersistAsync(async rest => (await rest.PostAsync("/api/sessions", Wanted)).Must(201).Json);
        string id = session.GetProperty("id").GetString()!;
        string first = KernelOf(session);
        await WaitUntilIdleAsync(stage, first);
        await stage.Server.PersistAsync(rest => rest.PostAsync($"/api/kernels/{first}/restart"));
        await WaitUntilIdleAsync(stage, first);
        await stage.Server.PersistAsync(rest =>
            rest.SendAsync(
                new HttpRequestMessage(HttpMethod.Patch, "/api/sessions/" + id)
                {
                    Content = new StringContent("""{"kernel":{"name":"python3"}}"""),
                }
            )
        );
        await stage.WaitForCrashAsync();

        await Patience.UntilAsync(
            async () =>
            {
                JsonElement[] kernels = await stage.Server.PersistAsync(async rest =>
                    (await rest.GetAsync("/api/kernels")).Must(200).Json.EnumerateArray().ToArray()
                );
                JsonElement now = await stage.Server.PersistAsync(async rest =>
                    (await rest.GetAsync("/api/sessions")).Must(200).Json.EnumerateArray().Single()
                );
                Assert.Equal(id, now.GetProperty("id").GetString());
                return kernels.Length == 1 && kernels[0].GetProperty("id").GetString() == KernelOf(now) && KernelOf(now) != first;
            },
            "only the session's new kernel was left"
        );
        await stage.Server.PersistAsync(rest => rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/api/sessions/" + id)));
        await stage.Server.MustLeaveNothingAsync();
    }

    private static string KernelOf(JsonElement session) => session.GetProperty("kernel").GetProperty("id").GetString()!;

    private static Task WaitUntilIdleAsync(CrashStage stage, string kernel) =>
        Patience.UntilAsync(
            async () =>
                await stage.Server.PersistAsync(async rest =>
                    (await rest.GetAsync("/api/kernels/" + kernel)).Must(200).Json.GetProperty("execution_state").GetString()
                ) == "idle",
            "the kernel was idle"
        );
}
