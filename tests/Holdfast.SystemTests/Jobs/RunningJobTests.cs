using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jobs;

/// <summary>What can be done with a job that runs, or has run, over REST.</summary>
public sealed class RunningJobTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private readonly TestServer _server = shared.Server;
    private readonly RestClient _rest = shared.Server.Rest;

    [Fact]
    public async Task Waiting_answers_202_while_it_runs_and_200_when_it_is_over()
    {
        string gate = Gate();
        string id = await _rest.SubmitAsync(Until(gate));
        RestReply early = (await _rest.GetAsync($"/v1/executions/{id}/wait?timeoutSeconds=0.05")).Must(202);
        Assert.False(early.Execution.IsFinal);

        Task<ExecutionReply> waiting = _rest.WaitAsync(id);
        Open(gate);
        Assert.Equal("succeeded", (await waiting).State);
    }

    [Fact]
    public async Task A_paused_job_stands_still_with_its_children_and_goes_on_when_resumed()
    {
        string gate = Gate();
        string id = await _rest.SubmitAsync($"echo begun; sh -c '{Until(gate)}'; echo done");
        await _rest.WaitForStateAsync(id, "running");
        RestReply paused = (await _rest.CommandAsync(id, "pause")).Must(200);

        Assert.Equal("paused", paused.Execution.State);
        Assert.Equal("paused", (await _rest.ExecutionAsync(id)).State);

        // A process that runs on the other processor stops when that next looks, which may be after the answer.
        await Patience.UntilAsync(() => Work(id).TrueForAll(static p => HouseProcesses.StateOf(p.Pid) == 'T'), "all of it stood still");
        Assert.Equal("running", (await _rest.CommandAsync(id, "resume")).Must(200).Execution.State);
        Open(gate);
        Assert.Equal("succeeded", (await _rest.WaitAsync(id)).State);
        Assert.Equal("begun\ndone\n", await _rest.OutputTextAsync(id));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Cancelling_ends_the_whole_tree_paused_or_not(bool isPaused)
    {
        string id = await _rest.SubmitAsync("sleep 1000 & (sleep 1000 & sleep 1000) & setsid sleep 1000 & echo begun; wait");
        await _rest.WaitForStateAsync(id, "running");
        await Patience.UntilAsync(async () => await _rest.OutputTextAsync(id) == "begun\n", "it had begun");
        if (isPaused)
        {
            (await _rest.CommandAsync(id, "pause")).Must(200);
        }

        (await _rest.CommandAsync(id, "cancel")).Must(200);
        ExecutionReply end = await _rest.WaitAsync(id);

        Assert.Equal(("cancelled", "cancelled"), (end.State, end.Cause));
        Assert.NotEmpty(end.Reason!);
        Assert.Empty(Work(id));
        Assert.Equal("begun\n", await _rest.OutputTextAsync(id));
    }

    [Fact]
    public async Task A_job_out_of_time_is_ended_with_its_children_and_says_so()
    {
        JsonObject job = RestClient.Shell("sleep 1000 & echo begun; wait");
        job["timeoutSeconds"] = 0.2;
        ExecutionReply end = await _rest.WaitAsync(await _rest.SubmitAsync(job));

        Assert.Equal("timedOut", end.State);
        Assert.Empty(Work(end.Id));
    }

    [Fact]
    public async Task What_a_state_does_not_allow_is_refused_with_the_state_and_what_it_allows()
    {
        string id = await _rest.SubmitAsync("exit 3");
        Assert.Equal(("failed", 3), (await _rest.WaitAsync(id)) is var end ? (end.State, end.ExitCode!.Value) : default);
        foreach (string verb in (string[])["cancel", "pause", "resume", "stdin"])
        {
            RestReply refused = (await _rest.CommandAsync(id, verb)).Must(409);
            Assert.Equal("illegal-transition", refused.Code);
            Assert.Contains("failed", refused.Detail, StringComparison.Ordinal);
        }

        Assert.Contains("retry", (await _rest.CommandAsync(id, "cancel")).Detail, StringComparison.Ordinal);
        string good = await _rest.SubmitAsync("true");
        await _rest.WaitAsync(good);
        Assert.Equal("illegal-transition", (await _rest.CommandAsync(good, "retry")).Must(409).Code);
    }

    [Fact]
    public async Task A_retry_is_a_new_attempt_of_the_same_execution()
    {
        string gate = Gate();
        string id = await _rest.SubmitAsync($"echo try; test -e '{gate}'");
        Assert.Equal(("failed", 1), (await _rest.WaitAsync(id)) is var first ? (first.State, first.Attempt) : default);
        Open(gate);
        Assert.Equal("queued", (await _rest.CommandAsync(id, "retry")).Must(200).Execution.State);
        ExecutionReply second = await _rest.WaitAsync(id);

        Assert.Equal(("succeeded", 2, 0), (second.State, second.Attempt, second.ExitCode!.Value));
        Assert.Equal("try\n", await _rest.OutputTextAsync(id));
        Assert.Equal(2, _server.AttemptsOf(id).Count);
    }

    [Fact]
    public async Task Input_is_given_while_it_runs_until_its_end_is_said()
    {
        JsonObject job = RestClient.Shell("cat");
        job["openStdin"] = true;
        job["stdin"] = "first\n";
        string id = await _rest.SubmitAsync(job);
        await _rest.WaitForStateAsync(id, "running");
        await Input(id, "second\n", end: false);
        await Patience.UntilAsync(async () => await _rest.OutputTextAsync(id) == "first\nsecond\n", "the input was echoed");
        await Input(id, "third\n", end: true);

        Assert.Equal("succeeded", (await _rest.WaitAsync(id)).State);
        Assert.Equal("first\nsecond\nthird\n", await _rest.OutputTextAsync(id));
    }

    [Fact]
    public async Task A_job_without_input_says_so()
    {
        string gate = Gate();
        string id = await _rest.SubmitAsync(Until(gate));
        await _rest.WaitForStateAsync(id, "running");
        RestReply refused = await _rest.PostAsync($"/v1/executions/{id}/stdin", "in vain");

        Assert.Equal((409, "stdin-closed"), (refused.Status, refused.Code));
        Open(gate);
        await _rest.WaitAsync(id);
    }

    [Fact]
    public async Task Output_is_read_by_offset_and_limit_each_stream_and_all()
    {
        string id = await _rest.SubmitAsync("printf 0123456789; printf abcde >&2");
        await _rest.WaitAsync(id);
        RestReply part = (await _rest.OutputAsync(id, "stdout", 3, 4)).Must(200);

        Assert.Equal("3456", part.Text);
        Assert.Equal(
            (3, 7, "false"),
            (part.Number("Holdfast-Offset"), part.Number("Holdfast-Next-Offset"), part.Header("Holdfast-Complete"))
        );
        RestReply rest = (await _rest.OutputAsync(id, "stdout", 7)).Must(200);
        Assert.Equal(("789", "true"), (rest.Text, rest.Header("Holdfast-Complete")));
        Assert.Equal("", (await _rest.OutputAsync(id, "stdout", 10)).Must(200).Text);
        Assert.Equal("abcde", await _rest.OutputTextAsync(id, "stderr"));
        Assert.Equal(15, (await _rest.OutputAsync(id)).Body.Length);
        Assert.Equal(15, (await _rest.ExecutionAsync(id)).OutputBytes);
        Assert.Equal(
            (416, "output-offset-invalid"),
            (await _rest.OutputAsync(id, "stdout", 11)) is var past ? (past.Status, past.Code) : default
        );
        Assert.Equal(400, (await _rest.OutputAsync(id, "stdout", -1)).Status);
        Assert.Equal(400, (await _rest.OutputAsync(id, "sideways")).Status);
    }

    [Fact]
    public async Task Following_gives_every_byte_as_it_comes_and_then_the_end()
    {
        string gate = Gate();
        string id = await _rest.SubmitAsync($"echo early; {Until(gate)}; seq 1 5000; printf 'größer ohne Zeilenende'");
        using var limit = new CancellationTokenSource(Patience.Limit, TimeProvider.System);
        using var bytes = new MemoryStream();
        StreamEvent? end = null;
        await foreach (StreamEvent one in _rest.FollowAsync($"/v1/executions/{id}/follow?stream=stdout", null, limit.Token))
        {
            end = one.Name == "end" ? one : null;
            if (end is null)
            {
                bytes.Write(Convert.FromBase64String(one.Data));
                Assert.Equal(bytes.Length, long.Parse(one.Id!, System.Globalization.CultureInfo.InvariantCulture));
            }

            Open(gate);
        }

        Assert.Equal(
            "early\n" + string.Concat(Enumerable.Range(1, 5000).Select(static n => $"{n}\n")) + "größer ohne Zeilenende",
            System.Text.Encoding.UTF8.GetString(bytes.ToArray())
        );
        Assert.Contains("\"succeeded\"", end!.Data, StringComparison.Ordinal);
    }

    private string Gate() => _server.PathOf("gate-" + Guid.NewGuid().ToString("N")[..8]);

    private static string Until(string gate) => $"while [ ! -e \"{gate}\" ]; do sleep 0.02; done";

    private static void Open(string gate) => File.WriteAllText(gate, "");

    private List<HouseProcess> Work(string execution)
    {
        HashSet<string> attempts = [.. _server.AttemptsOf(execution).Select(static a => Path.GetFileName(a.Directory))];
        return HouseProcesses.Work(_server.Data).FindAll(p => attempts.Contains(p.Attempt!));
    }

    private async Task Input(string id, string text, bool end) =>
        (await _rest.PostAsync($"/v1/executions/{id}/stdin{(end ? "?end=true" : "")}", text)).Must(200);
}
