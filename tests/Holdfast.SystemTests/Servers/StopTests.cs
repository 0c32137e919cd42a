using System.Diagnostics;
using System.Text.Json;
using Holdfast.Protocol.Processes;
using Holdfast.SystemTests.Cli;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Servers;

/// <summary>How a server stops, and what of it goes on.</summary>
public sealed class StopTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Libc.SigTerm)]
    [InlineData(Libc.SigInt)]
    public async Task A_stop_lets_requests_finish_and_leaves_jobs_alive_and_says_how_many(int signal)
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.Rest.SubmitAsync("echo on; sleep 1000");
        await server.Rest.WaitForStateAsync(id, "running");
        Task<RestReply> waiting = server.Rest.GetAsync($"/v1/executions/{id}/wait?timeoutSeconds=1");
        // Asked later and answered: the first is being served, and is not one that came too late.
        (await server.Rest.GetAsync("/healthz")).Must(200);
        _ = Libc.Kill(server.Process.Id, signal);
        Assert.Equal(202, (await waiting).Status);
        Assert.Equal(0, await server.WaitForExitAsync());
        Assert.Contains("1 job and 0 kernels live on", server.Log, StringComparison.Ordinal);
        Assert.NotEmpty(HouseProcesses.Work(server.Data));
        await server.StartAgainAsync();
        Assert.Equal("running", (await server.Rest.GetAsync($"/v1/executions/{id}")).Execution.State);
    }

    /// <summary>
    /// Who waits is told how things stand, and who follows is cut off to come back: neither holds the stop up, nor is left without an
    /// answer.
    /// </summary>
    [Fact]
    public async Task A_stop_waits_for_nobody_who_waits_for_the_future()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await server.Rest.SubmitAsync("echo on; sleep 1000");
        await server.Rest.WaitForStateAsync(id, "running");
        Task<RestReply> waiting = server.Rest.GetAsync($"/v1/executions/{id}/wait?timeoutSeconds=1000");
        await using IAsyncEnumerator<StreamEvent> following = server
            .Rest.FollowAsync($"/v1/executions/{id}/follow", null, Cancel)
            .GetAsyncEnumerator(Cancel);
        Assert.True(await following.MoveNextAsync());

        _ = Libc.Kill(server.Process.Id, Libc.SigTerm);

        Assert.Equal("running", (await waiting).Must(202).Execution.State);
        await Assert.ThrowsAnyAsync<IOException>(async () => await following.MoveNextAsync());
        Assert.Equal(0, await server.WaitForExitAsync());
    }

    /// <summary>From where the server's process cannot be seen, as from another container with the same data directory.</summary>
    [Fact]
    public async Task A_caller_who_cannot_see_the_process_finds_the_server_all_the_same_and_stops_it()
    {
        await using TestServer server = await TestServer.StartAsync();
        string[] elsewhere = [.. Libc.GetUid() == 0 ? (string[])[] : ["-r"], "--pid", "--fork", "--mount-proc", CliProcess.Program];
        string id = await OutsideAsync("submit", "--", "sleep", "1000");
        await server.Rest.WaitForStateAsync(id.Trim(), "running"); // By the same server: no second one was started.

        Assert.Contains("1 job", await OutsideAsync("stop"), StringComparison.Ordinal);

        Assert.Equal(0, await server.WaitForExitAsync());
        Assert.False(FileLock.IsHeld(Path.Combine(server.Data, "server.lock")));
        Assert.NotEmpty(HouseProcesses.Work(server.Data));

        async Task<string> OutsideAsync(params string[] arguments)
        {
            using CliProcess process = CliProcess.StartProgram(server.Data, "unshare", [.. elsewhere, .. arguments]);
            (int exitCode, string output, string error) = await process.EndAsync();
            Assert.True(exitCode == 0, error);
            return output;
        }
    }

    [Fact]
    public async Task A_stop_with_work_ends_jobs_and_kernels_and_leaves_the_queue()
    {
        await using TestServer server = await TestServer.StartAsync(new TestServerOptions { Arguments = ["--slots", "1"] });
        string running = await server.Rest.SubmitAsync("sleep 1000");
        string queued = await server.Rest.SubmitAsync("true");
        await server.Rest.WaitForStateAsync(running, "running");
        RestReply kernel = (await server.Rest.PostAsync("/v1/kernels", """{"name":"python3"}""")).Must(201);

        RestReply stop = await server.Rest.PostAsync("/v1/stop", """{"withWork":true}""");

        Assert.Equal((202, 1, 1, 0), (stop.Status, Number(stop, "jobs"), Number(stop, "kernels"), Number(stop, "left")));
        Assert.Equal(0, await server.WaitForExitAsync());
        Assert.Empty(HouseProcesses.Work(server.Data));
        await server.StartAgainAsync();
        Assert.Equal("cancelled", (await server.Rest.WaitAsync(running)).State);
        Assert.Equal("succeeded", (await server.Rest.WaitAsync(queued)).State);
        Assert.Contains(
            "stopped",
            (await server.Rest.GetAsync($"/v1/kernels/{kernel.Json.GetProperty("id").GetString()}")).Text,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task As_the_first_process_of_a_container_it_reaps_what_is_left_to_it()
    {
        await using TestServer server = TestServer.Prepare();
        var start = new ProcessStartInfo("unshare") { UseShellExecute = false };
        foreach (
            string argument in (string[])
                [
                    Libc.GetUid() == 0 ? "-pf" : "-rpf",
                    "--kill-child",
                    "--mount-proc",
                    Path.Combine(Published.Release, "holdfast"),
                    "serve",
                    "--data",
                    server.Data,
                    "--root",
                    server.Root,
                    "--port",
                    "0",
                ]
        )
        {
            start.ArgumentList.Add(argument);
        }

        using Process container = Process.Start(start)!;
        try
        {
            string record = Path.Combine(server.Data, "server.json");
            await Patience.UntilAsync(() => File.Exists(record), "the server listened");
            using var announced = JsonDocument.Parse(await File.ReadAllBytesAsync(record, Cancel));
            Assert.Equal(1, announced.RootElement.GetProperty("pid").GetInt32());
            using var rest = new RestClient(
                announced.RootElement.GetProperty("url").GetString()!,
                (await File.ReadAllTextAsync(Path.Combine(server.Data, "token"), Cancel)).Trim()
            );
            await Patience.UntilAsync(async () => (await rest.GetAsync("/readyz")).Status == 200, "the server was ready");

            // Somebody from outside starts a process in the container and goes away: it is the first process's to bury.
            int first = int.Parse(
                (await File.ReadAllTextAsync($"/proc/{container.Id}/task/{container.Id}/children", Cancel)).Trim(),
                System.Globalization.CultureInfo.InvariantCulture
            );
            using (
                Process visitor = Process.Start(
                    "nsenter",
                    [
                        "-t",
                        first.ToString(System.Globalization.CultureInfo.InvariantCulture),
                        "-p",
                        "-m",
                        "sh",
                        "-c",
                        "sh -c 'sleep 0.1 & exit' & sh -c 'sleep 0.2' & exit 0",
                    ]
                )
            )
            {
                await visitor.WaitForExitAsync(Cancel);
            }

            await Patience.UntilAsync(() => Zombies(first) == 0, "nothing dead was left unburied");
        }
        finally
        {
            container.Kill();
            await container.WaitForExitAsync(Cancel);
        }
    }

    private static int Number(RestReply reply, string name) => reply.Json.GetProperty(name).GetInt32();

    private static int Zombies(int parent) =>
        Directory
            .EnumerateDirectories("/proc")
            .Count(folder =>
                int.TryParse(Path.GetFileName(folder), out int pid) && ProcessStat.Of(pid) is { State: 'Z' } && ParentOf(pid) == parent
            );

    private static int ParentOf(int pid)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{pid}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
