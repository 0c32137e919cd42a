using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Kernels;

/// <summary>IPython's own history of inputs, which it is asked to write in portions.</summary>
public sealed class HistoryTests
{
    [Fact]
    public async Task What_a_kernel_was_given_is_told_while_it_lives_and_is_on_disk_when_it_has_ended()
    {
        await using TestServer server = await TestServer.StartAsync();
        HouseKernel kernel = await StartAsync(server);
        _ = await kernel.RunAsync("a = 1");
        Assert.Equal(
            "16 ['a = 1']\n",
            await kernel.RunAsync("h = get_ipython().history_manager; print(h.db_cache_size, [i for _, _, i in h.get_tail(5)])")
        );
        (await server.Rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/v1/kernels/" + kernel.Id))).Must(200);

        HouseKernel other = await HouseKernel.StartAsync(server);
        string written = await other.RunAsync(
            $"import sqlite3; print([r[0] for r in sqlite3.connect('{server.PathOf("ipython")}/profile_default/history.sqlite').execute('SELECT source_raw FROM history ORDER BY line')])"
        );
        Assert.StartsWith("['a = 1', 'h = get_ipython()", written, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_wants_each_input_on_disk_at_once_has_it_so()
    {
        await using TestServer server = await TestServer.StartAsync();
        string profile = Directory.CreateDirectory(Path.Combine(server.PathOf("ipython"), "profile_default")).FullName;
        await File.WriteAllTextAsync(
            Path.Combine(profile, "ipython_kernel_config.py"),
            "c.HistoryManager.db_cache_size = 1\n",
            TestContext.Current.CancellationToken
        );
        HouseKernel kernel = await StartAsync(server);
        Assert.Equal("1\n", await kernel.RunAsync("print(get_ipython().history_manager.db_cache_size)"));
    }

    private static Task<HouseKernel> StartAsync(TestServer server) =>
        HouseKernel.StartAsync(server, new JsonObject { ["env"] = new JsonObject { ["IPYTHONDIR"] = server.PathOf("ipython") } });
}
