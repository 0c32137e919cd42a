using System.Globalization;
using System.Text.Json;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Jupyter;

/// <summary>/api/kernels and /api/kernelspecs as Jupyter's clients use them, on a real server with real kernels.</summary>
public sealed class JupyterKernelTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private readonly TestServer _server = shared.Server;
    private readonly RestClient _rest = shared.Server.Rest;

    [Fact]
    public async Task A_kernel_is_started_listed_interrupted_restarted_and_stopped()
    {
        RestReply started = (
            await _rest.PostAsync("/api/kernels?1732000000000", """{"name":"python3","path":"none/such.ipynb","unknown":1}""")
        ).Must(201);
        string id = started.Json.GetProperty("id").GetString()!;
        Assert.Matches(@"^\w+-\w+-\w+-\w+-\w+$", id);
        // It may be up before the answer is written.
        Assert.Contains(started.Json.GetProperty("execution_state").GetString(), (string[])["starting", "busy", "idle"]);
        Assert.Equal("/api/kernels/" + id, started.Header("Location"));
        Assert.True(
            DateTime.TryParseExact(
                started.Json.GetProperty("last_activity").GetString(),
                "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'",
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out _
            )
        );

        await WaitForStateAsync(id, "idle");
        Assert.Contains(id, await ListAsync());
        Assert.Equal("", (await _rest.PostAsync($"/api/kernels/{id}/interrupt")).Must(204).Text);
        Assert.Equal(id, (await _rest.PostAsync($"/api/kernels/{id}/restart")).Must(200).Json.GetProperty("id").GetString());
        (await DeleteAsync($"/api/kernels/{id}")).Must(204);
        Assert.DoesNotContain(id, await ListAsync());
        RestReply gone = (await _rest.GetAsync($"/api/kernels/{id}")).Must(404);
        Assert.Equal(("application/json", "kernel-not-found"), (gone.ContentType, gone.Json.GetProperty("reason").GetString()));
        Assert.NotEmpty(gone.Json.GetProperty("message").GetString()!);
        (await DeleteAsync($"/api/kernels/{id}")).Must(404);
        (await _rest.PostAsync($"/api/kernels/{id}/interrupt")).Must(404);
    }

    /// <summary>A signal now would end a kernel that has no handler for it yet; there is nothing to interrupt.</summary>
    [Fact]
    public async Task A_kernel_that_is_still_starting_is_interrupted_without_harm()
    {
        string id = await KernelSocket.StartKernelAsync(_server);
        do
        {
            (await _rest.PostAsync($"/api/kernels/{id}/interrupt")).Must(204);
        } while ((await _rest.GetAsync($"/api/kernels/{id}")).Must(200).Json.GetProperty("execution_state").GetString() == "starting");

        await WaitForStateAsync(id, "idle");
        Assert.Equal(0, (await _rest.GetAsync($"/v1/kernels/{id}")).Must(200).Json.GetProperty("restarts").GetInt32());
        (await DeleteAsync($"/api/kernels/{id}")).Must(204);
    }

    [Fact]
    public async Task An_unknown_kernelspec_is_refused()
    {
        RestReply refused = (await _rest.PostAsync("/api/kernels", """{"name":"nonsense"}""")).Must(404);
        Assert.Equal("kernelspec-not-found", refused.Json.GetProperty("reason").GetString());
    }

    [Fact]
    public async Task The_caller_may_choose_the_id_and_the_folder()
    {
        string id = Guid.NewGuid().ToString();
        string folder = Directory.CreateDirectory(Path.Combine(_server.Root, "work")).FullName;
        (await _rest.PostAsync("/api/kernels", $$"""{"kernel_id":"{{id}}","path":"work/a.ipynb"}""")).Must(201);
        Assert.Equal(folder, (await _rest.GetAsync($"/v1/kernels/{id}")).Must(200).Json.GetProperty("cwd").GetString());
        (await _rest.PostAsync("/api/kernels", $$"""{"kernel_id":"{{id}}"}""")).Must(409);
        (await DeleteAsync($"/api/kernels/{id}")).Must(204);
    }

    [Fact]
    public async Task A_kernelspec_s_logo_is_sent_and_nothing_beside_it()
    {
        RestReply specs = (await _rest.GetAsync("/api/kernelspecs")).Must(200);
        Assert.Equal("python3", specs.Json.GetProperty("default").GetString());
        JsonElement python = specs.Json.GetProperty("kernelspecs").GetProperty("python3");
        string logo = python
            .GetProperty("resources")
            .EnumerateObject()
            .First(r => r.Name.StartsWith("logo-", StringComparison.Ordinal))
            .Value.GetString()!;
        RestReply image = (await _rest.GetAsync(logo)).Must(200);
        Assert.StartsWith("image/", image.ContentType, StringComparison.Ordinal);
        RestReply known = await _rest.SendAsync(
            new HttpRequestMessage(HttpMethod.Get, logo) { Headers = { { "If-None-Match", image.Header("ETag") } } }
        );
        Assert.Equal((304, 0), (known.Status, known.Body.Length));
        Assert.Empty((await _rest.SendAsync(new HttpRequestMessage(HttpMethod.Head, logo))).Must(200).Body);
        Assert.Contains("Python", python.GetProperty("spec").GetProperty("display_name").GetString(), StringComparison.Ordinal);
        foreach (
            string path in (string[])
                ["..%2Fir%2Fkernel.json", "..%2F..%2Fkernels%2Fpython3%2Fkernel.json", "..", "%2e%2e", "%2Fetc%2Fpasswd", "none.png"]
        )
        {
            (await _rest.GetAsync("/kernelspecs/python3/" + path)).Must(404);
        }
    }

    private async Task<string?[]> ListAsync() =>
        [.. (await _rest.GetAsync("/api/kernels")).Must(200).Json.EnumerateArray().Select(k => k.GetProperty("id").GetString())];

    private Task<RestReply> DeleteAsync(string path) => _rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, path));

    private Task WaitForStateAsync(string id, string state) =>
        Patience.UntilAsync(
            async () => (await _rest.GetAsync($"/api/kernels/{id}")).Must(200).Json.GetProperty("execution_state").GetString() == state,
            "the kernel was " + state
        );
}
