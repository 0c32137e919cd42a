using System.Text.Json;
using Holdfast.Protocol.Processes;
using Holdfast.SystemTests.Cli;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jobs;

/// <summary>The one table of supervisors, while they are stopped, go on, and die.</summary>
public sealed class SupervisorLivenessTests
{
    [Fact]
    public async Task A_stopped_supervisor_is_told_from_a_dead_one_also_by_the_next_server_and_is_never_ended_for_it()
    {
        await using TestServer server = await TestServer.StartAsync();
        string gate = server.PathOf("gate");
        string id = await server.Rest.SubmitAsync($"while [ ! -e '{gate}' ]; do sleep 0.02; done; echo done");
        string other = await server.Rest.SubmitAsync("sleep 1000");
        await server.Rest.WaitForStateAsync(id, "running");
        await server.Rest.WaitForStateAsync(other, "running");
        await UntilAsync(server, id, "fresh");
        ProcessIdentity supervisor = await server.SupervisorOfAsync(id);
        Assert.Equal(supervisor.Pid, (await FindAsync(server, id))!.Value.GetProperty("pid").GetInt32());

        _ = Libc.Kill(supervisor.Pid, Libc.SigStop);
        await UntilAsync(server, id, "stale");
        Assert.Contains("stopped", (await FindAsync(server, id))!.Value.GetProperty("reason").GetString(), StringComparison.Ordinal);
        await UntilAsync(server, other, "fresh");
        Assert.Contains("stale", await CliProcess.MustAsync(server.Data, "supervisors"), StringComparison.Ordinal);

        // The next server finds it stopped, and waits for nobody's age.
        await server.KillAsync();
        await server.StartAgainAsync();
        await UntilAsync(server, id, "stale");
        Assert.True(supervisor.IsAlive());
        Assert.Equal("running", (await server.Rest.ExecutionAsync(id)).State);

        _ = Libc.Kill(supervisor.Pid, Libc.SigCont);
        await UntilAsync(server, id, "fresh");
        File.WriteAllText(gate, "");
        Assert.Equal(("succeeded", 1), ((await server.Rest.WaitAsync(id)) is var end ? (end.State, end.Attempt) : default));
        await Patience.UntilAsync(async () => await FindAsync(server, id) is null, "the table had it no more");
        ProcessIdentity doomed = await server.SupervisorOfAsync(other);
        _ = Libc.Kill(doomed.Pid, Libc.SigKill);
        Assert.Equal("lost", (await server.Rest.WaitAsync(other)).State);
    }

    private static Task UntilAsync(TestServer server, string id, string liveness) =>
        Patience.UntilAsync(async () => await LivenessAsync(server, id) == liveness, $"the supervisor was shown as {liveness}");

    private static async Task<string?> LivenessAsync(TestServer server, string id) =>
        (await FindAsync(server, id))?.GetProperty("liveness").GetString();

    private static async Task<JsonElement?> FindAsync(TestServer server, string id)
    {
        foreach (
            JsonElement one in (await server.Rest.GetAsync("/v1/supervisors")).Must(200).Json.GetProperty("supervisors").EnumerateArray()
        )
        {
            if (one.GetProperty("executionId").GetString() == id)
            {
                return one;
            }
        }

        return null;
    }
}
