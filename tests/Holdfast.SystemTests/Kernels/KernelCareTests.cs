using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Kernels;

/// <summary>Kernels that are kept ready, looked at, and ended when nobody uses them.</summary>
public sealed class KernelCareTests
{
    [Fact]
    public async Task A_warm_kernel_outlives_the_server_and_is_taken_by_who_wants_one_like_it()
    {
        await using TestServer server = await TestServer.StartAsync(new TestServerOptions { Arguments = ["--warm-kernels", "python3=1"] });
        JsonElement warm = await WarmAsync(server, "");
        Assert.Equal(0, (await server.Rest.GetAsync("/v1/kernels")).Must(200).Json.GetProperty("kernels").GetArrayLength());
        Assert.Equal("[]", (await server.Rest.GetAsync("/api/kernels")).Must(200).Text);
        await server.RestartAsync();
        string id = warm.GetProperty("id").GetString()!;
        Assert.Equal(warm.GetProperty("pid").GetInt32(), (await WarmAsync(server, "")).GetProperty("pid").GetInt32());

        // Another environment or folder is another kernel.
        HouseKernel other = await HouseKernel.StartAsync(server, new JsonObject { ["env"] = new JsonObject { ["A"] = "b" } });
        Assert.NotEqual(id, other.Id);
        HouseKernel elsewhere = await HouseKernel.StartAsync(server, new JsonObject { ["cwd"] = "/" });
        Assert.NotEqual(id, elsewhere.Id);

        HouseKernel taken = await HouseKernel.StartAsync(server);
        Assert.Equal(id, taken.Id);
        Assert.Equal(server.Root + "\n", await taken.RunAsync("import os; print(os.getcwd())"));
        Assert.Equal(3, (await server.Rest.GetAsync("/v1/kernels")).Must(200).Json.GetProperty("kernels").GetArrayLength());

        // The next is on its way; a server that keeps none ends it, and no other.
        string next = (await WarmAsync(server, id)).GetProperty("id").GetString()!;
        await server.KillAsync();
        await server.StartAgainAsync(new TestServerOptions());
        await Patience.UntilAsync(
            async () => (await server.Rest.GetAsync("/v1/kernels/" + next)).Status == 404,
            "the warm kernel was gone"
        );
        Assert.Equal("running", (await taken.GetAsync()).GetProperty("state").GetString());
    }

    [Fact]
    public async Task An_idle_kernel_is_culled_and_a_busy_one_is_not()
    {
        await using TestServer server = await TestServer.StartAsync(
            new TestServerOptions { Arguments = ["--cull-idle-timeout", "2", "--cull-interval", "0.1"] }
        );
        HouseKernel idle = await HouseKernel.StartAsync(server);
        HouseKernel busy = await HouseKernel.StartAsync(server);
        _ = await busy.BeginAsync("import time; time.sleep(60)");

        JsonElement culled = await idle.UntilStateAsync("stopped");
        Assert.Matches("^It was culled after [0-9]+ s idle\\.$", culled.GetProperty("reason").GetString());
        Assert.Equal("running", (await busy.GetAsync()).GetProperty("state").GetString());
    }

    [Fact]
    public async Task What_a_kernel_and_its_children_use_is_told()
    {
        await using TestServer server = await TestServer.StartAsync();
        HouseKernel kernel = await HouseKernel.StartAsync(server);
        JsonElement before = await kernel.GetAsync();
        Assert.Equal(1, before.GetProperty("processes").GetInt32());
        Assert.InRange(before.GetProperty("memoryBytes").GetInt64(), 20 << 20, 200 << 20);

        _ = await kernel.BeginAsync(
            """
            import subprocess, sys
            subprocess.run([sys.executable, '-c', 'much = b"x" * (100 << 20)\nwhile True: pass'])
            """
        );
        JsonElement now = await kernel.UntilAsync(
            k =>
                k.GetProperty("memoryBytes").GetInt64() > before.GetProperty("memoryBytes").GetInt64() + (100 << 20)
                && k.GetProperty("cpuPercent").GetDouble() > 1,
            "its child was seen"
        );
        Assert.Equal(2, now.GetProperty("processes").GetInt32());
        Assert.True(now.GetProperty("cpuSeconds").GetDouble() > before.GetProperty("cpuSeconds").GetDouble());
    }

    [Fact]
    public async Task A_kernel_has_no_more_processors_than_its_limit_says()
    {
        await using TestServer server = await TestServer.StartAsync(new TestServerOptions { Arguments = ["--kernel-cpus", "0.5"] });
        HouseKernel asked = await HouseKernel.StartAsync(server, new JsonObject { ["limits"] = new JsonObject { ["cpus"] = 1 } });
        HouseKernel other = await HouseKernel.StartAsync(server);

        Assert.Equal((1, 0.5), (Cpus(await asked.GetAsync()), Cpus(await other.GetAsync())));
        Assert.Equal(
            "1\n",
            await asked.RunAsync(
                "import os, subprocess; print(subprocess.check_output(['nproc'], text=True).strip() if os.cpu_count() > 1 else 1)"
            )
        );
        RestReply refused = await server.Rest.PostAsync("/v1/kernels", """{"limits":{"cpus":0}}""");
        Assert.Equal((400, "invalid-request"), (refused.Status, refused.Code));
    }

    private static double Cpus(JsonElement kernel) => kernel.GetProperty("limits").GetProperty("cpus").GetDouble();

    private static async Task<JsonElement> WarmAsync(TestServer server, string other)
    {
        JsonElement found = default;
        await Patience.UntilAsync(
            async () =>
            {
                JsonElement all = (await server.Rest.GetAsync("/v1/kernels?warm=true")).Must(200).Json.GetProperty("kernels");
                found = all.EnumerateArray()
                    .FirstOrDefault(k =>
                        k.TryGetProperty("warm", out _)
                        && k.GetProperty("state").GetString() == "running"
                        && k.GetProperty("id").GetString() != other
                    );
                return found.ValueKind == JsonValueKind.Object;
            },
            "a kernel was warm"
        );
        return found;
    }
}
