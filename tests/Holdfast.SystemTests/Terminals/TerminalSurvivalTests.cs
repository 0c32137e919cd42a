using System.Text.Json;
using Holdfast.Protocol;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Terminals;

/// <summary>Terminals whose server dies, stops, or was dying as they were started.</summary>
public sealed class TerminalSurvivalTests
{
    [Fact]
    public async Task A_terminal_survives_kill_9_of_the_server_with_its_name_its_size_and_every_byte()
    {
        await using TestServer server = await TestServer.StartAsync(new TestServerOptions { Arguments = ["--slots", "1"] });
        RestReply started = (await server.Rest.PostAsync("/api/terminals", """{"name":"work"}""")).Must(200);
        string id = started.Json.GetProperty("execution_id").GetString()!;
        string busy = await server.Rest.SubmitAsync("sleep 1000"); // The only slot; a terminal takes none.
        _ = await server.Rest.WaitForStateAsync(busy, "running");
        await using (TerminalClient client = await TerminalClient.ConnectAsync(server, "work"))
        {
            await client.ResizeAsync(44, 101);
            await client.TypeAsync(
                "stty -echo; export KEPT=kept; for i in $(seq 1000); do echo line $i; sleep 0.001; done; echo all do''ne\r"
            );
            await client.UntilShownAsync("\nline 100\r");
            await server.KillAsync();
        }

        await server.StartAgainAsync();
        Assert.Equal(
            ["work"],
            (await server.Rest.GetAsync("/api/terminals")).Must(200).Json.EnumerateArray().Select(t => t.GetProperty("name").GetString())
        );
        await using TerminalClient again = await TerminalClient.ConnectAsync(server, "work");
        await again.UntilShownAsync("\nall done\r");
        await again.TypeAsync("echo $KEPT $(stty size)\r");
        await again.UntilShownAsync("kept 44 101\r");

        string lines = string.Concat(Enumerable.Range(1, 1000).Select(i => $"line {i}\r\n"));
        Assert.Contains(lines, again.Screen, StringComparison.Ordinal);
        Assert.Contains(lines, (await server.Rest.GetAsync($"/v1/executions/{id}/output")).Must(200).Text, StringComparison.Ordinal);
        Assert.Equal(1, (await server.Rest.ExecutionAsync(id)).Attempt);

        // It takes no slot after the restart either: the job that has it ends, and another begins.
        (await server.Rest.CommandAsync(busy, "cancel")).Must(200);
        Assert.Equal("succeeded", (await server.Rest.WaitAsync(await server.Rest.SubmitAsync("true"))).State);
        (await server.Rest.CommandAsync(id, "cancel")).Must(200);
        Assert.Equal("cancelled", (await server.Rest.WaitAsync(id)).State);
        await server.MustLeaveNothingAsync();
    }

    [Fact]
    public async Task A_server_that_stops_tells_its_clients_to_come_back()
    {
        await using TestServer server = await TestServer.StartAsync();
        (await server.Rest.PostAsync("/api/terminals")).Must(200);
        await using TerminalClient client = await TerminalClient.ConnectAsync(server, "1");
        await client.TypeAsync("echo re''ady\r");
        await client.UntilShownAsync("ready\r");

        Assert.Equal(0, await server.StopAsync());
        await client.UntilClosedAsync();
        Assert.Equal((1012, false), (client.CloseStatus, client.IsDisconnected));
    }

    /// <summary>A start's own commit comes first; then that of the claim, and the one that says it runs.</summary>
    [Theory]
    [InlineData(CrashPoint.ServerBeforeCommit, 2)]
    [InlineData(CrashPoint.ServerAfterCommit, 2)]
    [InlineData(CrashPoint.ServerSpecWritten, 1)]
    [InlineData(CrashPoint.ServerSupervisorSpawned, 1)]
    [InlineData(CrashPoint.ServerAfterCommit, 3)]
    [InlineData(CrashPoint.SupervisorLocked, 1)]
    public async Task One_that_is_asked_for_until_it_is_acknowledged_is_there_once(CrashPoint point, int arrival)
    {
        string died = Path.Combine(Directory.CreateTempSubdirectory("holdfast-").FullName, "died");
        await using TestServer server = TestServer.Prepare(
            new TestServerOptions
            {
                Programs = Published.CrashPoints,
                Environment = new Dictionary<string, string>
                {
                    ["HOLDFAST_CRASH_POINT"] = $"{point}:{arrival}",
                    ["HOLDFAST_CRASH_ONCE"] = died,
                },
            }
        );

        RestReply started = await server.PersistAsync(rest => rest.PostAsync("/api/terminals", """{"name":"mine"}"""));
        string id = started.Must(200).Json.GetProperty("execution_id").GetString()!;
        await Patience.UntilAsync(() => File.Exists(died), "something died");
        await server.PersistAsync(async rest =>
        {
            JsonElement terminal = Assert.Single((await rest.GetAsync("/api/terminals")).Must(200).Json.EnumerateArray());
            Assert.Equal(id, terminal.GetProperty("execution_id").GetString());
            return true;
        });
        await using TerminalClient client = await TerminalClient.ConnectAsync(server, "mine");
        await client.TypeAsync("echo al''ive\r");
        await client.UntilShownAsync("alive\r");
        Assert.Equal("running", (await server.Rest.WaitForStateAsync(id, "running")).State);
        Directory.Delete(Path.GetDirectoryName(died)!, recursive: true);
    }
}
