using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.Protocol.Processes;
using Holdfast.SystemTests.Jupyter;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Kernels;

/// <summary>Kernels that die by themselves: the right cause, the next incarnation under the same id, and the end of patience.</summary>
public sealed class KernelDeathTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private const int MemoryMax = 300 << 20;

    [Theory]
    [InlineData("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "signalled", null, "SIGKILL")]
    [InlineData("import ctypes; ctypes.string_at(0)", "signalled", null, "SIGSEGV")]
    [InlineData("import os; os._exit(3)", "exited", 3, null)]
    [InlineData("import time; much = b'x' * (700 << 20); time.sleep(60)", "outOfMemory", null, "SIGKILL")]
    public async Task A_death_has_its_cause_and_the_kernel_comes_back(string code, string cause, int? exitCode, string? signal)
    {
        JsonObject request = cause == "outOfMemory" ? new JsonObject { ["limits"] = new JsonObject { ["memoryBytes"] = MemoryMax } } : [];
        HouseKernel kernel = await HouseKernel.StartAsync(shared.Server, request);
        int pid = await kernel.PidAsync();
        string run = await kernel.BeginAsync(code);

        JsonElement back = await kernel.UntilStateAsync("running", restarts: 1);
        JsonElement death = back.GetProperty("lastDeath");
        Assert.Equal(cause, death.GetProperty("cause").GetString());
        Assert.Equal(signal, death.GetProperty("signalName").GetString());
        Assert.Equal(
            exitCode,
            death.GetProperty("exitCode").ValueKind == JsonValueKind.Null ? null : death.GetProperty("exitCode").GetInt32()
        );
        Assert.NotEqual(pid, back.GetProperty("pid").GetInt32());

        // The run that it died under is lost with it, and the feed told of death and restart.
        JsonElement ended = (await shared.Server.Rest.GetAsync($"/v1/notebooks/runs/{run}?timeoutSeconds={Patience.AskedSeconds}"))
            .Must(200)
            .Json;
        Assert.Equal("lost", ended.GetProperty("state").GetString());
        using var limit = new CancellationTokenSource(Patience.Limit, TimeProvider.System);
        await foreach (StreamEvent change in shared.Server.Rest.FollowAsync($"/v1/feed?subject={kernel.Id}", null, limit.Token))
        {
            if (change.Name == "kernel.restarting")
            {
                Assert.Equal(cause, JsonDocument.Parse(change.Data).RootElement.GetProperty("death").GetProperty("cause").GetString());
                break;
            }
        }

        Assert.Equal("alive\n", await kernel.RunAsync("print('alive')"));
    }

    [Fact]
    public async Task A_kernel_that_was_not_to_be_restarted_stays_dead()
    {
        HouseKernel kernel = await HouseKernel.StartAsync(shared.Server, new JsonObject { ["autoRestart"] = false });
        _ = Libc.Kill(await kernel.PidAsync(), Libc.SigKill);

        JsonElement dead = await kernel.UntilStateAsync("dead");
        Assert.Contains("SIGKILL", dead.GetProperty("reason").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_s_own_kernel_is_not_restarted_under_it()
    {
        string run = await HouseKernel.BeginAsync(shared.Server, "import os; os._exit(3)", "python3", "own-kernel");
        JsonElement ended = (await shared.Server.Rest.GetAsync($"/v1/notebooks/runs/{run}?timeoutSeconds={Patience.AskedSeconds}"))
            .Must(200)
            .Json;

        JsonElement dead = await new HouseKernel(shared.Server, ended.GetProperty("kernelId").GetString()!).UntilStateAsync("dead");
        Assert.False(dead.GetProperty("autoRestart").GetBoolean());
        Assert.Equal("lost", ended.GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_kernel_that_dies_too_often_is_given_up_with_the_causes()
    {
        await using TestServer server = await TestServer.StartAsync(new TestServerOptions { Arguments = ["--kernel-restarts", "1"] });
        HouseKernel kernel = await HouseKernel.StartAsync(server);
        _ = await kernel.BeginAsync("import os; os._exit(3)");
        await kernel.UntilStateAsync("running", restarts: 1);
        using KernelSocket socket = await KernelSocket.OpenAsync(server, kernel.Id, "the session");
        _ = Libc.Kill(await kernel.PidAsync(), Libc.SigKill);

        JsonElement dead = await kernel.UntilStateAsync("dead", restarts: 1);
        SocketMessage told = await socket.ReadUntilAsync(static m => m.State == "dead");
        Assert.Contains("is not started again", told.Content.GetProperty("reason").GetString(), StringComparison.Ordinal);
        string reason = dead.GetProperty("reason").GetString()!;
        Assert.StartsWith(
            "It died 2 times within 5 minutes and is not started again. It was killed by SIGKILL",
            reason,
            StringComparison.Ordinal
        );
        Assert.Contains("It exited with code 3.", reason, StringComparison.Ordinal);

        // Whoever restarts it begins anew.
        (await server.Rest.PostAsync($"/v1/kernels/{kernel.Id}/restart")).Must(200);
        _ = Libc.Kill(await kernel.PidAsync(), Libc.SigKill);
        await kernel.UntilStateAsync("running", restarts: 3);
    }

    [Fact]
    public async Task A_kernel_that_died_while_no_server_was_there_comes_back_as_it_was_started()
    {
        await using TestServer server = await TestServer.StartAsync();
        string directory = Directory.CreateDirectory(Path.Combine(server.Folder, "its own")).FullName;
        HouseKernel kernel = await HouseKernel.StartAsync(
            server,
            new JsonObject
            {
                ["cwd"] = directory,
                ["env"] = new JsonObject { ["HOUSE_COLOUR"] = "green", ["KERNEL_WORKING_DIR"] = "/nowhere" },
            }
        );
        int pid = await kernel.PidAsync();
        await server.KillAsync();
        _ = Libc.Kill(pid, Libc.SigKill);
        await Patience.UntilAsync(() => ProcessIdentity.Of(pid) is null, "the kernel was gone");
        await server.StartAgainAsync();

        JsonElement back = await kernel.UntilStateAsync("running", restarts: 1);
        Assert.Equal("SIGKILL", back.GetProperty("lastDeath").GetProperty("signalName").GetString());
        Assert.Equal($"green {directory}\n", await kernel.RunAsync("import os; print(os.environ['HOUSE_COLOUR'], os.getcwd())"));
    }
}
