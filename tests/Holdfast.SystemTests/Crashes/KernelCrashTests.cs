using System.Text.Json;
using Holdfast.Protocol;
using Holdfast.Protocol.Processes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Crashes;

/// <summary>Kills the server at the durable steps between a kernel's death and its next incarnation.</summary>
public sealed class KernelCrashTests
{
    public static TheoryData<CrashPoint, int, Loss> ServerDeaths => CrashCases.Of(CrashStory.KernelDeath, isServer: true);

    [Theory]
    [MemberData(nameof(ServerDeaths))]
    public async Task A_kernel_that_died_comes_back_once_whatever_becomes_of_the_server(CrashPoint point, int arrival, Loss loss)
    {
        await using CrashStage stage = CrashStage.Prepare(new CrashScenario(point, arrival, CrashStory.KernelDeath, loss));
        JsonElement kernel = await stage.Server.PersistAsync(async rest => (await rest.PostAsync("/v1/kernels", "{}")).Must(201).Json);
        string id = kernel.GetProperty("id").GetString()!;
        _ = Libc.Kill(kernel.GetProperty("pid").GetInt32(), Libc.SigKill);

        await stage.WaitForCrashAsync();
        JsonElement now = default;
        await Patience.UntilAsync(
            async () =>
            {
                now = await stage.Server.PersistAsync(async rest => (await rest.GetAsync("/v1/kernels/" + id)).Must(200).Json);
                return now.GetProperty("executionState").GetString() == "idle" && now.GetProperty("restarts").GetInt32() > 0;
            },
            "the kernel was back"
        );

        Assert.True(now.GetProperty("restarts").GetInt32() == 1, $"{now}\n{stage.Server.Log}");
        Assert.Equal("SIGKILL", now.GetProperty("lastDeath").GetProperty("signalName").GetString());
        Assert.NotEqual(kernel.GetProperty("pid").GetInt32(), now.GetProperty("pid").GetInt32());
        await stage.Server.PersistAsync(async rest =>
        {
            JsonElement all = (await rest.GetAsync("/v1/kernels")).Must(200).Json.GetProperty("kernels");
            Assert.Equal(1, all.GetArrayLength());
            return (await rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/v1/kernels/" + id))).Must(200);
        });
        await stage.Server.MustLeaveNothingAsync();
    }
}
