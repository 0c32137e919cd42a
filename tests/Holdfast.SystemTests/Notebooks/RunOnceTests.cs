using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Notebooks;

/// <summary>A run asked for twice under one key is one run, whoever dies in between.</summary>
public sealed class RunOnceTests
{
    [Fact]
    public async Task The_same_key_and_request_is_the_same_run_at_once_and_after_a_kill()
    {
        await using TestServer server = await TestServer.StartAsync();
        var truth = new TruthFile(server.PathOf("truth"));
        var notebook = new TruthNotebook(server, truth, "once", cells: 2, lines: 1);

        RestReply[] replies = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(_ => server.Rest.PostAsync("/v1/notebooks/run", notebook.Request, "key-1"))
        );
        string id = replies[0].Json.GetProperty("id").GetString()!;
        Assert.Equal([200, 200, 200, 201], replies.Select(static r => r.Status).Order());
        Assert.All(replies, r => Assert.Equal(id, r.Json.GetProperty("id").GetString()));
        await server.RestartAsync();
        Assert.Equal(
            id,
            (await server.Rest.PostAsync("/v1/notebooks/run", notebook.Request, "key-1")).Must(200).Json.GetProperty("id").GetString()
        );
        Assert.Equal(
            "succeeded",
            (await server.Rest.GetAsync($"/v1/notebooks/runs/{id}?timeoutSeconds={Patience.AskedSeconds}"))
                .Must(200)
                .Json.GetProperty("state")
                .GetString()
        );
        Assert.Equal(
            "succeeded",
            (await server.Rest.PostAsync("/v1/notebooks/run", notebook.Request, "key-1")).Must(200).Json.GetProperty("state").GetString()
        );

        Assert.Equal(
            "idempotency-conflict",
            (await server.Rest.PostAsync("/v1/notebooks/run", """{"path":"once.ipynb","stopOnError":false}""", "key-1")).Must(409).Code
        );
        Assert.Equal("idempotency-conflict", (await server.Rest.PostAsync("/v1/jobs", """{"argv":["true"]}""", "key-1")).Must(409).Code);
        Assert.Equal(["start-0", "end-0", "start-1", "end-1"], truth.Read().Select(static t => t.Word));
        await server.MustLeaveNothingAsync();
    }
}
