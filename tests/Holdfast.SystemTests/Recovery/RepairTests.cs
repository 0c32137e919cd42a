using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Recovery;

/// <summary>What a start-up cannot put right is set aside, alone, and a person repairs it while the server runs.</summary>
public sealed class RepairTests
{
    [Fact]
    public async Task A_live_job_whose_folder_could_not_be_judged_is_left_alone_and_taken_up_when_the_folder_is_mended()
    {
        await using TestServer server = await TestServer.StartAsync();
        string gate = server.PathOf("gate");
        string id = await server.Rest.SubmitAsync($"echo one; while [ ! -e '{gate}' ]; do sleep 0.02; done; echo two");
        string other = await server.Rest.SubmitAsync($"while [ ! -e '{gate}' ]; do sleep 0.02; done");
        await server.Rest.WaitForStateAsync(id, "running");
        await server.Rest.WaitForStateAsync(other, "running");
        await server.KillAsync();
        AttemptFiles files = server.AttemptsOf(id)[0];
        File.Move(files.Lock, files.Lock + ".away");
        Directory.CreateDirectory(files.Lock);
        await server.StartAgainAsync();

        JsonElement report = (await server.Rest.GetAsync("/v1/recovery")).Must(200).Json;
        Assert.Equal((1, 1), (report.GetProperty("quarantined").GetInt32(), report.GetProperty("readopted").GetInt32()));
        Assert.Equal("running", (await server.Rest.GetAsync($"/v1/executions/{id}")).Execution.State);
        Assert.Equal("recovery-item-alive", Code(await RepairAsync(server, "retry", other)));
        Assert.Equal("recovery-item-not-found", Code(await RepairAsync(server, "mark-lost", "nobody", "x")));
        Assert.Equal("quarantined", Verdict(await RepairAsync(server, "retry", id)));

        Assert.Equal(
            "recovery-item-alive",
            Code(await RepairAsync(server, "mark-lost", id, "its lock is gone, and yet its process is there"))
        );

        Directory.Delete(files.Lock);
        File.Move(files.Lock + ".away", files.Lock);
        Assert.Equal("recovery-item-alive", Code(await RepairAsync(server, "mark-lost", id, "I think so")));
        Assert.Equal("readopted", Verdict(await RepairAsync(server, "retry", id, "its folder is mended")));
        File.WriteAllText(gate, "");
        Assert.Equal("succeeded", (await server.Rest.WaitAsync(id)).State);
        Assert.Equal("one\ntwo\n", await server.Rest.OutputTextAsync(id));
    }

    [Fact]
    public async Task A_quarantined_job_is_left_alone_by_later_starts_and_called_lost_by_hand_gives_its_lock_to_the_next()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await SubmitAsync(server, "sleep 1000");
        string next = await SubmitAsync(server, "true");
        await server.Rest.WaitForStateAsync(id, "running");
        ProcessIdentity supervisor = await server.SupervisorOfAsync(id);
        await server.KillAsync();
        _ = Libc.Kill(supervisor.Pid, Libc.SigKill);
        await Patience.UntilAsync(() => !supervisor.IsAlive(), "the supervisor was dead");
        AttemptFiles files = server.AttemptsOf(id)[0];
        File.Delete(files.Lock);
        Directory.CreateDirectory(files.Lock);
        await server.StartAgainAsync();

        Assert.Equal("invalid-request", Code(await RepairAsync(server, "quarantine", id)));
        Assert.Equal("quarantined", Verdict(await RepairAsync(server, "quarantine", id, "I want to look at it")));
        Directory.Delete(files.Lock);
        await server.RestartAsync();
        JsonElement one = (await server.Rest.GetAsync("/v1/recovery")).Json.GetProperty("attempts").EnumerateArray().Single();
        Assert.Equal(
            ("quarantined", "I want to look at it"),
            (one.GetProperty("verdict").GetString(), one.GetProperty("reason").GetString())
        );
        Assert.Equal("waiting", (await server.Rest.GetAsync($"/v1/executions/{next}")).Execution.State);

        Assert.Equal("lost", Verdict(await RepairAsync(server, "mark-lost", id, "it is gone")));
        ExecutionReply lost = await server.Rest.WaitAsync(id);
        Assert.Equal(("lost", true), (lost.State, lost.Reason!.Contains("it is gone", StringComparison.Ordinal)));
        Assert.Equal("succeeded", (await server.Rest.WaitAsync(next)).State);
        await server.MustLeaveNothingAsync();
    }

    [Fact]
    public async Task A_phase_is_run_again_while_the_server_runs_and_the_critical_ones_are_not()
    {
        await using TestServer server = await TestServer.StartAsync();

        JsonElement again = (await RepairAsync(server, "retry", "lines")).Must(200).Json;

        Assert.Equal("lines", Assert.Single(again.GetProperty("phases").EnumerateArray()).GetProperty("name").GetString());
        Assert.Equal("invalid-request", Code(await RepairAsync(server, "retry", "queue")));
    }

    private static Task<string> SubmitAsync(TestServer server, string script)
    {
        JsonObject job = RestClient.Shell(script);
        job["locks"] = new JsonArray("the lock");
        return server.Rest.SubmitAsync(job);
    }

    private static Task<RestReply> RepairAsync(TestServer server, string how, string item, string? reason = null)
    {
        var body = new JsonObject { ["item"] = item };
        if (reason is not null)
        {
            body["reason"] = reason;
        }

        return server.Rest.PostAsync($"/v1/recovery/{how}", body.ToJsonString());
    }

    private static string? Code(RestReply reply) => reply.Json.GetProperty("code").GetString();

    private static string? Verdict(RestReply reply) => reply.Must(200).Json.GetProperty("attempt").GetProperty("verdict").GetString();
}
