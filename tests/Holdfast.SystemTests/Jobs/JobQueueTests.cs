using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jobs;

/// <summary>The line of queued jobs, before one slot.</summary>
public sealed class JobQueueTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private TruthFile _truth = null!;
    private string _gate = "";

    private RestClient Rest => _server.Rest;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(new TestServerOptions { Arguments = ["--slots", "1"] });
        _truth = new TruthFile(_server.PathOf("truth"));
        _gate = _server.PathOf("gate");
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Jobs_run_in_the_order_they_came_also_after_a_kill()
    {
        string first = await BlockAsync();
        List<string> ids = [];
        for (int i = 0; i < 12; i++)
        {
            ids.Add(await Rest.SubmitAsync(_truth.Tell("job")));
        }

        int[] positions = await Task.WhenAll(ids.Take(3).Select(async id => (await Rest.ExecutionAsync(id)).QueuePosition!.Value));
        Assert.Equal([0, 1, 2], positions);
        await _server.RestartAsync();
        Assert.Equal(("running", "queued"), ((await Rest.ExecutionAsync(first)).State, (await Rest.ExecutionAsync(ids[0])).State));
        File.WriteAllText(_gate, "");
        await Rest.WaitAsync(ids[^1]);

        Assert.Equal(ids, _truth.Read().ConvertAll(static t => t.Execution));
    }

    [Fact]
    public async Task A_queued_job_is_cancelled_at_once_and_never_runs()
    {
        await BlockAsync();
        string cancelled = await Rest.SubmitAsync(_truth.Tell("cancelled"));
        string after = await Rest.SubmitAsync(_truth.Tell("after"));
        ExecutionReply reply = (await Rest.CommandAsync(cancelled, "cancel")).Must(200).Execution;
        Assert.Equal(("cancelled", 0), (reply.State, reply.Attempt));
        Assert.Equal(409, (await Rest.CommandAsync(after, "pause")).Status);
        File.WriteAllText(_gate, "");
        await Rest.WaitAsync(after);

        Assert.Equal(["after"], _truth.Read().ConvertAll(static t => t.Word));
        Assert.Empty(await Rest.OutputTextAsync(cancelled));
    }

    [Fact]
    public async Task A_working_directory_that_went_away_in_the_queue_fails_the_job_with_a_reason()
    {
        await BlockAsync();
        string cwd = _server.PathOf("passing");
        Directory.CreateDirectory(cwd);
        JsonObject job = RestClient.Shell("pwd");
        job["cwd"] = cwd;
        string id = await Rest.SubmitAsync(job);
        Directory.Delete(cwd);
        File.WriteAllText(_gate, "");
        ExecutionReply end = await Rest.WaitAsync(id);

        Assert.Equal(("failed", "notStarted"), (end.State, end.Cause));
        Assert.Contains(cwd, end.Reason, StringComparison.Ordinal);
        Assert.NotEqual(0, end.ExitCode);
    }

    /// <summary>Takes the only slot until the gate is there.</summary>
    private async Task<string> BlockAsync()
    {
        string id = await Rest.SubmitAsync($"while [ ! -e '{_gate}' ]; do sleep 0.02; done");
        await Rest.WaitForStateAsync(id, "running");
        return id;
    }
}
