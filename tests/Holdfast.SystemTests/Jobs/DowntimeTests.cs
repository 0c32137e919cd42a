using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Holdfast.Protocol.Processes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jobs;

/// <summary>What happens to jobs while nobody serves.</summary>
public sealed class DowntimeTests
{
    [Fact]
    public async Task Output_and_outcome_that_came_while_the_server_was_down_are_there_when_it_is_back()
    {
        await using TestServer server = await TestServer.StartAsync();
        string gate = server.PathOf("gate");
        string good = await server.Rest.SubmitAsync($"echo before; while [ ! -e '{gate}' ]; do sleep 0.02; done; echo after");
        string bad = await server.Rest.SubmitAsync($"while [ ! -e '{gate}' ]; do sleep 0.02; done; kill -TERM $$");
        await server.Rest.WaitForStateAsync(good, "running");
        await server.Rest.WaitForStateAsync(bad, "running");
        await server.KillAsync();
        File.WriteAllText(gate, "");
        await Patience.UntilAsync(
            () => File.Exists(server.AttemptsOf(good)[0].Exit) && File.Exists(server.AttemptsOf(bad)[0].Exit),
            "both jobs ended"
        );
        await server.StartAgainAsync();

        // Recovered means known: nothing has to be waited for.
        ExecutionReply one = await server.Rest.WaitAsync(good);
        ExecutionReply two = await server.Rest.WaitAsync(bad);
        Assert.Equal(("succeeded", 0, 1), (one.State, one.ExitCode!.Value, one.Attempt));
        Assert.Equal(("failed", 15), (two.State, two.Signal!.Value));
        Assert.Equal("before\nafter\n", await server.Rest.OutputTextAsync(good));
        RestReply report = (await server.Rest.GetAsync("/v1/recovery")).Must(200);
        Assert.Equal(2, report.Json.GetProperty("found").GetInt32());
    }

    [Fact]
    public async Task A_job_runs_out_of_time_also_while_the_server_is_down()
    {
        await using TestServer server = await TestServer.StartAsync();
        string begun = server.PathOf("begun");
        JsonObject job = RestClient.Shell($"sleep 1000 & : > '{begun}'; wait");
        job["timeoutSeconds"] = 1;
        string id = await server.Rest.SubmitAsync(job);
        await Patience.UntilAsync(() => File.Exists(begun), "it had begun");
        await server.KillAsync();
        await Patience.UntilAsync(() => File.Exists(server.AttemptsOf(id)[0].Exit), "the job was out of time");
        Assert.Empty(HouseProcesses.Work(server.Data));
        await server.StartAgainAsync();

        Assert.Equal("timedOut", (await server.Rest.WaitAsync(id)).State);
    }

    [Fact]
    public async Task A_follower_goes_on_after_a_kill_where_it_was_and_has_every_byte_once()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.Rest.SubmitAsync(
            "i=0; while [ $i -lt 400 ]; do echo \"line $i\"; i=$((i+1)); [ $((i % 20)) = 0 ] && sleep 0.05; done"
        );
        using var limit = new CancellationTokenSource(Patience.Limit, TimeProvider.System);
        using var followed = new MemoryStream();
        string? lastId = null;
        bool hasEnded = false;
        for (int kills = 0; !hasEnded; kills++)
        {
            try
            {
                int killAt = (kills + 1) * 600;
                await foreach (StreamEvent one in server.Rest.FollowAsync($"/v1/executions/{id}/follow?stream=stdout", lastId, limit.Token))
                {
                    hasEnded = one.Name == "end";
                    followed.Write(hasEnded ? [] : Convert.FromBase64String(one.Data));
                    lastId = one.Id;
                    if (kills < 3 && followed.Length > killAt)
                    {
                        await server.KillAsync();
                    }
                }
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                Assert.True(server.HasDied);
            }

            if (!hasEnded)
            {
                await server.StartAgainAsync();
            }
        }

        Assert.Equal(
            string.Concat(Enumerable.Range(0, 400).Select(static n => string.Create(CultureInfo.InvariantCulture, $"line {n}\n"))),
            Encoding.UTF8.GetString(followed.ToArray())
        );
    }

    [Fact]
    public async Task A_wish_that_was_acknowledged_is_kept_over_a_kill()
    {
        await using TestServer server = await TestServer.StartAsync();
        string paused = await server.Rest.SubmitAsync("sleep 1000 & wait");
        string cancelled = await server.Rest.SubmitAsync("sleep 1000 & wait");
        await server.Rest.WaitForStateAsync(paused, "running");
        await server.Rest.WaitForStateAsync(cancelled, "running");
        (await server.Rest.CommandAsync(paused, "pause")).Must(200);
        (await server.Rest.CommandAsync(cancelled, "cancel")).Must(200);
        await server.RestartAsync();

        Assert.Equal("cancelled", (await server.Rest.WaitAsync(cancelled)).State);
        Assert.Equal("paused", (await server.Rest.ExecutionAsync(paused)).State);
        (await server.Rest.CommandAsync(paused, "resume")).Must(200);
        (await server.Rest.CommandAsync(paused, "cancel")).Must(200);
        Assert.Equal("cancelled", (await server.Rest.WaitAsync(paused)).State);
        await server.MustLeaveNothingAsync();
    }

    [Fact]
    public async Task A_server_that_is_asked_to_stop_leaves_its_jobs_running()
    {
        await using TestServer server = await TestServer.StartAsync();
        string gate = server.PathOf("gate");
        string id = await server.Rest.SubmitAsync($"while [ ! -e '{gate}' ]; do sleep 0.02; done; echo done");
        await server.Rest.WaitForStateAsync(id, "running");

        Assert.Equal(0, await server.StopAsync());
        Assert.False(File.Exists(Path.Combine(server.Data, "server.json")));
        Assert.NotEmpty(HouseProcesses.Work(server.Data));
        await server.StartAgainAsync();
        Assert.Equal("running", (await server.Rest.ExecutionAsync(id)).State);
        File.WriteAllText(gate, "");
        Assert.Equal(("succeeded", 1), (await server.Rest.WaitAsync(id)) is var end ? (end.State, end.Attempt) : default);
    }
}
