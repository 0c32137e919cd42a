using System.Text.Json.Nodes;
using Holdfast.Protocol.Processes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jobs;

/// <summary>Jobs that share what only one may touch at a time.</summary>
public sealed class LockTests
{
    [Fact]
    public async Task A_hundred_writers_in_one_line_never_meet_though_the_server_is_killed_among_them()
    {
        const int writers = 100;
        await using TestServer server = await TestServer.StartAsync();
        string counter = server.PathOf("counter");
        await File.WriteAllTextAsync(counter, "0\n", TestContext.Current.CancellationToken);

        // Not atomic on purpose: two at once would lose a count, or find the other's folder.
        string script =
            $"mkdir '{counter}.busy' || exit 9; read n < '{counter}'; sleep 0.005; echo $((n+1)) > '{counter}'; echo $HOLDFAST_LOCK_FENCE >> '{counter}.fences'; rmdir '{counter}.busy'";
        var ids = new List<string>();
        for (int i = 0; i < writers; i++)
        {
            JsonObject job = RestClient.Shell(script);
            job["locks"] = i % 3 == 0 ? new JsonArray("a name / of\nany 'kind'", "second") : new JsonArray("a name / of\nany 'kind'");
            ids.Add((await server.PersistAsync(rest => rest.TrySubmitAsync(job, $"writer-{i}"))).Execution.Id);
            if (i % 30 == 20)
            {
                await server.RestartAsync();
            }
        }

        foreach (string id in ids)
        {
            Assert.Equal("succeeded", (await server.PersistAsync(rest => rest.WaitAsync(id))).State);
        }

        Assert.Equal(
            writers,
            int.Parse(
                await File.ReadAllTextAsync(counter, TestContext.Current.CancellationToken),
                System.Globalization.CultureInfo.InvariantCulture
            )
        );
        long[] fences = [.. (await File.ReadAllLinesAsync(counter + ".fences", TestContext.Current.CancellationToken)).Select(long.Parse)];
        Assert.Equal(fences.Order(), fences); // First come, first served, kills or not.
        Assert.Equal(writers, fences.Distinct().Count());
        Assert.Equal("[]", (await server.Rest.GetAsync("/v1/locks")).Text);
    }

    [Fact]
    public async Task A_dead_holder_keeps_no_lock_and_a_live_one_loses_it_only_by_hand()
    {
        await using TestServer server = await TestServer.StartAsync();
        string dead = await SubmitAsync(server, "sleep 1000", "x");
        string next = await SubmitAsync(server, "sleep 1000", "x");
        string last = await SubmitAsync(server, "true", "x");
        await server.Rest.WaitForStateAsync(dead, "running");
        Assert.Equal((dead, $"{next} {last}"), await LineAsync(server));

        // Its supervisor is killed: what it ran is swept away, it is lost, and the next has the lock.
        _ = Libc.Kill((await server.SupervisorOfAsync(dead)).Pid, Libc.SigKill);
        Assert.Equal("lost", (await server.Rest.WaitAsync(dead)).State);
        await server.Rest.WaitForStateAsync(next, "running");
        await server.RestartAsync();
        Assert.Equal((next, last), await LineAsync(server));

        (await server.Rest.PostAsync("/v1/locks/release", """{"name":"x"}""")).Must(400);
        (await server.Rest.PostAsync("/v1/locks/release", """{"name":"y","reason":"r"}""")).Must(409);
        (await server.Rest.PostAsync("/v1/locks/release", """{"name":"x","reason":"it hangs"}""")).Must(200);
        Assert.Equal("succeeded", (await server.Rest.WaitAsync(last)).State);
        Assert.Equal("running", (await server.Rest.ExecutionAsync(next)).State);
        (await server.Rest.CommandAsync(next, "cancel")).Must(200);
    }

    private static async Task<string> SubmitAsync(TestServer server, string script, string name)
    {
        JsonObject job = RestClient.Shell(script);
        job["locks"] = new JsonArray(name);
        return await server.Rest.SubmitAsync(job);
    }

    private static async Task<(string?, string)> LineAsync(TestServer server)
    {
        JsonNode line = JsonNode.Parse((await server.Rest.GetAsync("/v1/locks")).Must(200).Text)!.AsArray().Single()!;
        return (line["holder"]?.GetValue<string>(), string.Join(' ', line["waiting"]!.AsArray().Select(static w => w!.GetValue<string>())));
    }
}
