using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jobs;

/// <summary>What a submit is answered with, good and bad.</summary>
public sealed class SubmitJobTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private readonly TestServer _server = shared.Server;
    private readonly RestClient _rest = shared.Server.Rest;

    [Fact]
    public async Task The_same_key_and_request_give_the_same_execution_and_another_request_is_refused()
    {
        JsonObject job = RestClient.Shell("echo once");
        RestReply first = (await _rest.TrySubmitAsync(job, "key-1")).Must(201);
        RestReply again = (await _rest.TrySubmitAsync(job, "key-1")).Must(200);
        RestReply other = (await _rest.TrySubmitAsync(RestClient.Shell("echo twice"), "key-1")).Must(409);

        Assert.Equal(first.Execution.Id, again.Execution.Id);
        Assert.Equal("idempotency-conflict", other.Code);
        Assert.Contains(first.Execution.Id, other.Detail, StringComparison.Ordinal);
        await _rest.WaitAsync(first.Execution.Id);
        Assert.Equal(
            (200, "succeeded"),
            ((await _rest.TrySubmitAsync(job, "key-1")).Status, (await _rest.ExecutionAsync(first.Execution.Id)).State)
        );
    }

    [Fact]
    public async Task A_hundred_callers_with_one_key_make_one_execution()
    {
        var truth = new TruthFile(_server.PathOf("truth-of-one-key"));
        JsonObject job = RestClient.Shell(truth.Tell("start"));
        RestReply[] replies = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => _rest.TrySubmitAsync(job, "key-of-many")));

        Assert.Single(replies.Select(static r => r.Execution.Id).Distinct());
        Assert.Single(replies, static r => r.Status == 201);
        await _rest.WaitAsync(replies[0].Execution.Id);
        Assert.Single(truth.Read());
    }

    [Theory]
    [InlineData("no-such-command-anywhere", 127)]
    [InlineData("/etc/hostname", 126)]
    public async Task A_command_that_cannot_be_run_ends_as_in_a_shell_and_is_named(string command, int exitCode)
    {
        ExecutionReply end = await _rest.WaitAsync(await _rest.SubmitAsync(new JsonObject { ["argv"] = new JsonArray(command) }));

        Assert.Equal(("failed", exitCode, "notStarted"), (end.State, end.ExitCode, end.Cause));
        Assert.Contains(command, end.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_working_directory_that_does_not_exist_is_refused_and_named()
    {
        JsonObject job = RestClient.Shell("pwd");
        job["cwd"] = "/no/such/folder";
        RestReply refused = (await _rest.TrySubmitAsync(job)).Must(400);

        Assert.Equal("working-directory-not-found", refused.Code);
        Assert.Contains("/no/such/folder", refused.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_job_has_the_directory_the_variables_and_the_input_it_was_given()
    {
        JsonObject job = RestClient.Shell("pwd; echo $COLOUR; echo $HOLDFAST_EXECUTION; cat", ("COLOUR", "green"));
        job["cwd"] = "/usr/bin";
        job["stdin"] = "given\n";
        string id = await _rest.SubmitAsync(job);
        await _rest.WaitAsync(id);

        Assert.Equal($"/usr/bin\ngreen\n{id}\ngiven\n", await _rest.OutputTextAsync(id));
    }

    [Fact]
    public async Task Malformed_json_is_refused_with_its_position()
    {
        RestReply refused = (await _rest.PostAsync("/v1/jobs", "{\n  \"argv\": [\"true\",]\n}")).Must(400);

        Assert.Equal("invalid-json", refused.Code);
        Assert.Contains("line 2", refused.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}", "argv")]
    [InlineData("""{"argv":[]}""", "argv")]
    [InlineData("""{"argv":"true"}""", "argv")]
    [InlineData("""{"argv":["true"],"timeoutSeconds":-1}""", "timeoutSeconds")]
    [InlineData("""{"argv":["true"],"cwd":"relative"}""", "cwd")]
    [InlineData("""{"argv":["true"],"env":{"A=B":"c"}}""", "env")]
    [InlineData("null", "null")]
    [InlineData("", "")]
    public async Task A_request_that_cannot_be_meant_is_refused_and_the_field_named(string body, string named)
    {
        RestReply refused = (await _rest.PostAsync("/v1/jobs", body)).Must(400);

        Assert.Contains(refused.Code, new[] { "invalid-request", "invalid-json" });
        Assert.Contains(named, refused.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_refused_and_the_server_goes_on()
    {
        RestReply refused = (await _rest.PostAsync("/v1/jobs", new string(' ', 9 * 1024 * 1024))).Must(413);

        Assert.Equal("body-too-large", refused.Code);
        await _rest.SubmitAsync("true");
    }

    [Theory]
    [InlineData("GET", "/v1/executions/nobody", 404, "execution-not-found")]
    [InlineData("GET", "/v1/executions/nobody/wait", 404, "execution-not-found")]
    [InlineData("GET", "/v1/executions/nobody/output", 404, "execution-not-found")]
    [InlineData("POST", "/v1/executions/nobody/cancel", 404, "execution-not-found")]
    [InlineData("POST", "/v1/executions/nobody/retry", 404, "execution-not-found")]
    [InlineData("GET", "/v1/executions?state=imaginary", 400, "invalid-request")]
    [InlineData("GET", "/v1/executions?limit=none", 400, "invalid-request")]
    [InlineData("GET", "/v1/nothing/here", 404, "route-not-found")]
    [InlineData("DELETE", "/v1/jobs", 405, "method-not-allowed")]
    public async Task Every_wrong_question_has_its_problem(string method, string path, int status, string code)
    {
        RestReply reply = await _rest.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));

        Assert.Equal((status, code), (reply.Status, reply.Code));
        Assert.NotEmpty(reply.Detail!);
    }

    [Fact]
    public async Task A_list_shows_what_was_submitted_newest_first_page_by_page()
    {
        List<string> submitted = [];
        for (int i = 0; i < 5; i++)
        {
            JsonObject job = RestClient.Shell("true");
            job["labels"] = new JsonObject { ["test"] = "list" };
            submitted.Add(await _rest.SubmitAsync(job));
        }

        List<string> listed = [];
        string? cursor = null;
        do
        {
            RestReply page = (
                await _rest.GetAsync($"/v1/executions?label=test=list&limit=2{(cursor is null ? "" : "&cursor=" + cursor)}")
            ).Must(200);
            listed.AddRange(page.Json.GetProperty("executions").EnumerateArray().Select(static e => e.GetProperty("id").GetString()!));
            cursor = page.Json.GetProperty("next").GetString();
        } while (cursor is not null);

        submitted.Reverse();
        Assert.Equal(submitted, listed);
    }
}
