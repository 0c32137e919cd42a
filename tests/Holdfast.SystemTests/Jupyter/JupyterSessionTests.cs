using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jupyter;

/// <summary>/api/sessions as JupyterLab and VS Code use them, on a real server with real kernels.</summary>
public sealed class JupyterSessionTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private readonly TestServer _server = shared.Server;
    private readonly RestClient _rest = shared.Server.Rest;

    [Fact]
    public async Task Two_clients_that_open_one_notebook_at_once_get_one_session_and_one_kernel()
    {
        Directory.CreateDirectory(Path.Combine(_server.Root, "deep"));
        const string body = """{"path":"deep/a.ipynb","type":"notebook","name":"a.ipynb","kernel":{"name":"python3"}}""";
        RestReply[] replies = await Task.WhenAll(
            _rest.PostAsync("/api/sessions", body),
            _rest.PostAsync("/api/sessions?1732", body),
            _rest.PostAsync("/api/sessions", body)
        );
        JsonElement session = replies[0].Must(201).Json;
        string id = session.GetProperty("id").GetString()!;
        Assert.All(replies, r => Assert.Equal(id, r.Must(201).Json.GetProperty("id").GetString()));
        Assert.Equal("/api/sessions/" + id, replies[0].Header("Location"));
        Assert.Equal(("deep/a.ipynb", "a.ipynb", "notebook"), (Text(session, "path"), Text(session, "name"), Text(session, "type")));
        Assert.Equal("deep/a.ipynb", session.GetProperty("notebook").GetProperty("path").GetString());
        string kernel = KernelOf(session);
        Assert.Contains((await _rest.GetAsync("/api/sessions")).Must(200).Json.EnumerateArray(), s => Text(s, "id") == id);
        Assert.Equal(Path.Combine(_server.Root, "deep"), Text((await _rest.GetAsync("/v1/kernels/" + kernel)).Must(200).Json, "cwd"));

        (await DeleteAsync(id)).Must(204);
        (await _rest.GetAsync("/api/sessions/" + id)).Must(404);
        (await _rest.GetAsync("/api/kernels/" + kernel)).Must(404);
        (await DeleteAsync(id)).Must(404);
    }

    [Fact]
    public async Task A_session_is_moved_and_given_another_kernel_whose_forerunner_is_stopped()
    {
        JsonElement session = await StartAsync("b.ipynb");
        string id = Text(session, "id");
        JsonElement moved = (await PatchAsync(id, """{"path":"c.ipynb","name":"c"}""")).Must(200).Json;
        Assert.Equal(("c.ipynb", "c", KernelOf(session)), (Text(moved, "path"), Text(moved, "name"), KernelOf(moved)));

        JsonElement renewed = (await PatchAsync(id, """{"kernel":{"name":"python3"}}""")).Must(200).Json;
        Assert.NotEqual(KernelOf(session), KernelOf(renewed));
        (await _rest.GetAsync("/api/kernels/" + KernelOf(session))).Must(404);

        JsonElement other = (await _rest.PostAsync("/api/kernels", "{}")).Must(201).Json;
        JsonElement given = (await PatchAsync(id, $$$"""{"kernel":{"id":"{{{Text(other, "id")}}}"}}""")).Must(200).Json;
        Assert.Equal(Text(other, "id"), KernelOf(given));
        (await _rest.GetAsync("/api/kernels/" + KernelOf(renewed))).Must(404);
        (await PatchAsync(id, """{"kernel":{"id":"0b9d1c58-5a5c-4d0e-9c3f-6f1f2b7f3a10"}}""")).Must(404);
        (await PatchAsync("0b9d1c58-5a5c-4d0e-9c3f-6f1f2b7f3a10", "{}")).Must(404);
        (await DeleteAsync(id)).Must(204);
    }

    [Fact]
    public async Task A_kernel_that_two_sessions_share_outlives_the_change_of_one()
    {
        JsonElement notebook = await StartAsync("shared.ipynb");
        JsonElement console = (
            await _rest.PostAsync(
                "/api/sessions",
                $$$"""{"path":"console-1","type":"console","kernel":{"id":"{{{KernelOf(notebook)}}}"}}"""
            )
        )
            .Must(201)
            .Json;
        Assert.Equal(KernelOf(notebook), KernelOf(console));
        Assert.False(console.TryGetProperty("notebook", out _));
        (await PatchAsync(Text(console, "id"), """{"kernel":{"name":"python3"}}""")).Must(200);
        (await _rest.GetAsync("/api/kernels/" + KernelOf(notebook))).Must(200);
        (await DeleteAsync(Text(console, "id"))).Must(204);
        (await DeleteAsync(Text(notebook, "id"))).Must(204);
    }

    [Fact]
    public async Task A_session_whose_kernel_went_first_is_gone_and_its_path_is_free()
    {
        JsonElement session = await StartAsync("gone.ipynb");
        (await _rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/api/kernels/" + KernelOf(session)))).Must(204);
        Assert.DoesNotContain(
            (await _rest.GetAsync("/api/sessions")).Must(200).Json.EnumerateArray(),
            s => Text(s, "id") == Text(session, "id")
        );
        (await _rest.GetAsync("/api/sessions/" + Text(session, "id"))).Must(404);
        RestReply gone = (await DeleteAsync(Text(session, "id"))).Must(410);
        Assert.Equal("session-kernel-gone", Text(gone.Json, "reason"));
        (await DeleteAsync(Text(session, "id"))).Must(404);
        JsonElement next = await StartAsync("gone.ipynb");
        Assert.NotEqual(Text(session, "id"), Text(next, "id"));
        (await DeleteAsync(Text(next, "id"))).Must(204);
    }

    [Theory]
    [InlineData("""{"type":"notebook","kernel":{"name":"python3"}}""", "path")]
    [InlineData("""{"path":"x.ipynb","kernel":{"name":"python3"}}""", "type")]
    public async Task What_is_missing_is_named(string body, string field)
    {
        RestReply refused = (await _rest.PostAsync("/api/sessions", body)).Must(400);
        Assert.Equal("Field missing in JSON data: " + field, Text(refused.Json, "message"));
    }

    [Fact]
    public async Task An_unknown_kernelspec_is_told_in_short_and_at_length()
    {
        RestReply refused = (
            await _rest.PostAsync("/api/sessions", """{"path":"y.ipynb","type":"notebook","kernel":{"name":"nonsense"}}""")
        ).Must(501);
        Assert.Contains("nonsense", Text(refused.Json, "message"), StringComparison.Ordinal);
        Assert.Contains("nonsense", Text(refused.Json, "short_message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sessions_outlive_a_server_that_is_killed()
    {
        await using TestServer server = await TestServer.StartAsync();
        JsonElement before = (
            await server.Rest.PostAsync("/api/sessions", """{"path":"d.ipynb","type":"notebook","kernel":{"name":"python3"}}""")
        )
            .Must(201)
            .Json;
        await Patience.UntilAsync(
            async () => Text((await server.Rest.GetAsync("/api/kernels/" + KernelOf(before))).Must(200).Json, "execution_state") == "idle",
            "the kernel was idle"
        );
        await server.RestartAsync();
        JsonElement after = (await server.Rest.GetAsync("/api/sessions")).Must(200).Json.EnumerateArray().Single();
        Assert.Equal(
            (Text(before, "id"), KernelOf(before), "idle"),
            (Text(after, "id"), KernelOf(after), Text(after.GetProperty("kernel"), "execution_state"))
        );
        JsonElement again = (
            await server.Rest.PostAsync("/api/sessions", """{"path":"d.ipynb","type":"notebook","kernel":{"name":"python3"}}""")
        )
            .Must(201)
            .Json;
        Assert.Equal(Text(before, "id"), Text(again, "id"));
    }

    private async Task<JsonElement> StartAsync(string path) => (
            await _rest.PostAsync(
                "/api/sessions",
                new JsonObject
                {
                    ["path"] = path,
                    ["type"] = "notebook",
                    ["kernel"] = new JsonObject { ["name"] = "python3" },
                }.ToJsonString()
            )
        ).Must(201).Json;

    private Task<RestReply> PatchAsync(string id, string body) =>
        _rest.SendAsync(new HttpRequestMessage(HttpMethod.Patch, "/api/sessions/" + id) { Content = new StringContent(body) });

    private Task<RestReply> DeleteAsync(string id) => _rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/api/sessions/" + id));

    private static string KernelOf(JsonElement session) => Text(session.GetProperty("kernel"), "id");

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;
}
