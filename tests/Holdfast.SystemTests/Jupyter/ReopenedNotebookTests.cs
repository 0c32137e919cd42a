using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.SystemTests.Cli;
using Holdfast.SystemTests.Kernels;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jupyter;

/// <summary>
/// A notebook that is opened again shows what its cells have said since it was saved, whoever sent them and whoever was there to hear it.
/// </summary>
public sealed class ReopenedNotebookTests
{
    [Fact]
    public async Task A_cell_that_ended_while_nobody_was_there_has_its_outputs_count_and_times()
    {
        await using TestServer server = await TestServer.StartAsync();
        string go = server.PathOf("go");
        string waits = $"import os, time\nprint('on', flush=True)\nwhile not os.path.exists('{go}'): time.sleep(0.01)\nprint('off')\n6 * 7";
        using KernelClient client = await KernelClient.StartAsync(server);
        await SaveAsync(server, "n.ipynb", ("c0", waits), ("c1", "edited since"), ("c2", "never ran"));
        string saved = await File.ReadAllTextAsync(Path.Combine(server.Root, "n.ipynb"), TestContext.Current.CancellationToken);

        string running = client.Execute(waits, """{"cellId":"c0"}""");
        await Patience.UntilAsync(async () => Outputs(await CellAsync(server, 0)) == "on\n", "its output so far was shown");
        JsonElement busy = await CellAsync(server, 0);
        Assert.Equal(
            ("running", true),
            (
                busy.GetProperty("metadata").GetProperty("holdfast").GetProperty("state").GetString(),
                busy.GetProperty("metadata").GetProperty("trusted").GetBoolean()
            )
        );

        string edited = client.Execute("before the edit", """{"cellId":"c1"}""");
        await server.KillAsync();
        await File.WriteAllTextAsync(go, "", TestContext.Current.CancellationToken);
        await server.StartAgainAsync();
        JsonElement execution = await client.ExecutionAsync(running, "succeeded");
        JsonElement conflicting = await client.ExecutionAsync(edited, "failed");

        JsonElement whole = await CellAsync(server, 0);
        Assert.Equal(("on\noff\n42", 1), (Outputs(whole), whole.GetProperty("execution_count").GetInt32()));
        Assert.Equal(
            (execution.GetProperty("id").GetString(), "succeeded"),
            (
                whole.GetProperty("metadata").GetProperty("holdfast").GetProperty("executionId").GetString(),
                whole.GetProperty("metadata").GetProperty("holdfast").GetProperty("state").GetString()
            )
        );
        JsonElement times = whole.GetProperty("metadata").GetProperty("execution");
        Assert.All(
            (string[])["iopub.status.busy", "iopub.execute_input", "shell.execute_reply", "iopub.status.idle"],
            name => Assert.NotEmpty(times.GetProperty(name).GetString()!)
        );

        JsonElement conflict = await CellAsync(server, 1);
        Assert.Equal("", Outputs(conflict));
        JsonElement told = conflict.GetProperty("metadata").GetProperty("holdfast").GetProperty("conflict");
        Assert.Equal(
            (conflicting.GetProperty("id").GetString(), "sourceChanged", "failed"),
            (told.GetProperty("executionId").GetString(), told.GetProperty("reason").GetString(), told.GetProperty("state").GetString())
        );
        Assert.False((await CellAsync(server, 2)).GetProperty("metadata").TryGetProperty("holdfast", out _));
        Assert.Equal(saved, await File.ReadAllTextAsync(Path.Combine(server.Root, "n.ipynb"), TestContext.Current.CancellationToken));

        string path = Path.Combine(server.Root, "n.ipynb");
        Assert.Contains(
            "1 cell would be restored, 1 in conflict",
            await CliProcess.MustAsync(server.Data, "notebook", "recover", path, "--dry-run"),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "1 cell restored, 1 in conflict",
            await CliProcess.MustAsync(server.Data, "notebook", "recover", path),
            StringComparison.Ordinal
        );
        using (JsonDocument file = JsonDocument.Parse(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken)))
        {
            Assert.Equal("on\noff\n42", Outputs(file.RootElement.GetProperty("cells")[0]));
            Assert.Equal("", Outputs(file.RootElement.GetProperty("cells")[1]));
            Assert.False(file.RootElement.GetProperty("cells")[1].GetProperty("metadata").TryGetProperty("holdfast", out _));
        }

        RestReply again = (await server.Rest.PostAsync("/v1/notebooks/recover", $$"""{"path":"n.ipynb"}""")).Must(200);
        Assert.False(again.Json.GetProperty("saved").GetBoolean());
    }

    [Fact]
    public async Task A_client_that_saves_its_stale_copy_over_a_run_loses_nothing_that_ends_later()
    {
        await using TestServer server = await TestServer.StartAsync();
        string go = server.PathOf("go");
        string waits = $"import os, time\nprint('on', flush=True)\nwhile not os.path.exists('{go}'): time.sleep(0.01)\nprint('off')";
        await SaveAsync(server, "n.ipynb", ("c0", waits), ("c1", "print('next')"));
        string run = (await server.Rest.PostAsync("/v1/notebooks/run", """{"path":"n.ipynb"}"""))
            .Must(201)
            .Json.GetProperty("id")
            .GetString()!;
        await Patience.UntilAsync(async () => Outputs(await CellAsync(server, 0)) == "on\n", "the run's output so far was shown");

        await SaveAsync(server, "n.ipynb", ("c0", waits), ("c1", "print('next')"));
        Assert.Equal("on\n", Outputs(await CellAsync(server, 0)));
        await server.KillAsync();
        await File.WriteAllTextAsync(go, "", TestContext.Current.CancellationToken);
        await server.StartAgainAsync();
        Assert.Equal(
            "succeeded",
            (await server.Rest.GetAsync($"/v1/notebooks/runs/{run}?timeoutSeconds={Patience.AskedSeconds}"))
                .Must(200)
                .Json.GetProperty("state")
                .GetString()
        );
        Assert.Equal(("on\noff\n", "next\n"), (Outputs(await CellAsync(server, 0)), Outputs(await CellAsync(server, 1))));
    }

    [Fact]
    public async Task A_resumed_run_runs_a_cell_again_that_was_edited_after_it_succeeded()
    {
        await using TestServer server = await TestServer.StartAsync();
        await SaveAsync(server, "n.ipynb", ("c0", "a = 1"), ("c1", "b = 1"), ("c2", "assert a + b == 3"));
        await RunAsync(server, """{"path":"n.ipynb"}""", "failed", 3);

        string path = Path.Combine(server.Root, "n.ipynb");
        JsonNode notebook = JsonNode.Parse(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken))!;
        notebook["cells"]![1]!["source"] = "b = 2";
        await File.WriteAllTextAsync(path, notebook.ToJsonString(), TestContext.Current.CancellationToken);
        await RunAsync(server, """{"path":"n.ipynb","from":"failed"}""", "succeeded", 2);
        Assert.Equal(
            "nothing-to-resume",
            (await server.Rest.PostAsync("/v1/notebooks/run", """{"path":"n.ipynb","from":"failed"}""")).Code
        );
    }

    private static async Task RunAsync(TestServer server, string request, string state, int cells)
    {
        JsonElement run = (await server.Rest.PostAsync("/v1/notebooks/run", request)).Must(201).Json;
        Assert.Equal(cells, run.GetProperty("cells").GetArrayLength());
        Assert.Equal(
            state,
            (await server.Rest.GetAsync($"/v1/notebooks/runs/{run.GetProperty("id").GetString()}?timeoutSeconds={Patience.AskedSeconds}"))
                .Must(200)
                .Json.GetProperty("state")
                .GetString()
        );
    }

    private static async Task SaveAsync(TestServer server, string path, params (string Id, string Source)[] cells)
    {
        var notebook = new JsonObject
        {
            ["type"] = "notebook",
            ["content"] = new JsonObject
            {
                ["nbformat"] = 4,
                ["nbformat_minor"] = 5,
                ["metadata"] = new JsonObject(),
                ["cells"] = new JsonArray([
                    .. cells.Select(static c => new JsonObject
                    {
                        ["id"] = c.Id,
                        ["cell_type"] = "code",
                        ["source"] = c.Source,
                        ["execution_count"] = null,
                        ["metadata"] = new JsonObject(),
                        ["outputs"] = new JsonArray(),
                    }),
                ]),
            },
        };
        var request = new HttpRequestMessage(HttpMethod.Put, "/api/contents/" + path)
        {
            Content = new StringContent(notebook.ToJsonString(), Encoding.UTF8, "application/json"),
        };
        Assert.InRange((await server.Rest.SendAsync(request)).Status, 200, 201);
    }

    private static async Task<JsonElement> CellAsync(TestServer server, int index) =>
        (await server.Rest.GetAsync("/api/contents/n.ipynb?type=notebook")).Must(200).Json.GetProperty("content").GetProperty("cells")[
            index
        ];

    private static string Outputs(JsonElement cell) =>
        string.Concat(
            cell.GetProperty("outputs")
                .EnumerateArray()
                .Select(static output =>
                    output.TryGetProperty("text", out JsonElement text) ? Joined(text)
                    : output.TryGetProperty("data", out JsonElement data) ? Joined(data.GetProperty("text/plain"))
                    : "error"
                )
        );

    private static string Joined(JsonElement text) =>
        text.ValueKind == JsonValueKind.Array ? string.Concat(text.EnumerateArray().Select(static t => t.GetString())) : text.GetString()!;
}
