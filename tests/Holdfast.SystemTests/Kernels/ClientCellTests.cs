using System.Globalization;
using System.Text.Json;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Kernels;

/// <summary>Cells that Jupyter's clients send to a real ipykernel: each is an execution that outlives the server.</summary>
public sealed class ClientCellTests
{
    [Fact]
    public async Task Every_cell_of_a_client_is_an_execution_with_its_code_and_its_output()
    {
        await using TestServer server = await TestServer.StartAsync();
        using KernelClient client = await KernelClient.StartAsync(server);

        string fine = client.Execute("print('grüß')", """{"cellId":"c0ffee"}""");
        string go = server.PathOf("go");
        client.Execute($"import os, time\nwhile not os.path.exists('{go}'): time.sleep(0.01)", silent: true);
        string wrong = client.Execute("1/0");
        string dropped = client.Execute("print('never')");
        await client.ExecutionAsync(dropped, "queued"); // The kernel drops what it has when a cell fails, and runs what comes later.
        await File.WriteAllTextAsync(go, "", TestContext.Current.CancellationToken);
        JsonElement ended = await client.ExecutionAsync(fine, "succeeded");
        string id = ended.GetProperty("id").GetString()!;
        JsonElement one = (await server.Rest.GetAsync($"/v1/executions/{id}")).Must(200).Json;
        Assert.Equal(
            ("cell", client.KernelId, "c0ffee", "print('grüß')", "ada", 7L),
            (
                one.GetProperty("kind").GetString(),
                one.GetProperty("kernelId").GetString(),
                one.GetProperty("cellId").GetString(),
                one.GetProperty("code").GetString(),
                one.GetProperty("client").GetProperty("username").GetString(),
                one.GetProperty("outputBytes").GetInt64()
            )
        );
        Assert.Equal("grüß\n", await server.Rest.OutputTextAsync(id));

        Assert.StartsWith(
            "ZeroDivisionError",
            (await client.ExecutionAsync(wrong, "failed")).GetProperty("reason").GetString(),
            StringComparison.Ordinal
        );
        Assert.Equal("aborted", (await client.ExecutionAsync(dropped, "cancelled")).GetProperty("cause").GetString());
        Assert.Equal(
            [(dropped, "print('never')"), (wrong, "1/0"), (fine, "print('grüß')")],
            (await KernelClient.ExecutionsAsync(server)).Select(static e =>
                (e.GetProperty("messageId").GetString(), e.GetProperty("firstLine").GetString())
            )
        );
    }

    [Fact]
    public async Task A_cell_that_ends_while_there_is_no_server_is_there_once_and_whole()
    {
        await using TestServer server = await TestServer.StartAsync();
        using KernelClient client = await KernelClient.StartAsync(server);
        string go = server.PathOf("go");
        string running = client.Execute(
            $"import os, time\nprint('on', flush=True)\nwhile not os.path.exists('{go}'): time.sleep(0.01)\nprint('off')"
        );
        string id = (await client.ExecutionAsync(running, "running")).GetProperty("id").GetString()!;

        await server.KillAsync();
        string sent = client.Execute($"open('{go}2', 'w')");
        await File.WriteAllTextAsync(go, "", TestContext.Current.CancellationToken);
        await Patience.UntilAsync(() => File.Exists(go + "2"), "both cells had run");
        await server.StartAgainAsync();

        JsonElement ended = await client.ExecutionAsync(running, "succeeded");
        Assert.Equal((id, "on\noff\n"), (ended.GetProperty("id").GetString(), await server.Rest.OutputTextAsync(id)));
        await client.ExecutionAsync(sent, "succeeded");
        await server.RestartAsync();
        Assert.Equal(
            [sent, running],
            (await KernelClient.ExecutionsAsync(server)).Select(static e => e.GetProperty("messageId").GetString())
        );
        Assert.Equal(
            "idle",
            (await server.Rest.GetAsync($"/v1/kernels/{client.KernelId}")).Must(200).Json.GetProperty("executionState").GetString()
        );
    }

    [Fact]
    public async Task A_question_outlives_the_server_is_answered_once_and_a_password_is_written_nowhere()
    {
        await using TestServer server = await TestServer.StartAsync();
        using KernelClient client = await KernelClient.StartAsync(server);
        string cell = client.Execute(
            "import getpass, hashlib\nprint(hashlib.sha256(getpass.getpass('Secret? ').encode()).hexdigest()[:8])",
            allowStdin: true
        );
        JsonElement before = await AskedAsync(server, client);
        string id = (await client.ExecutionAsync(cell, "running")).GetProperty("id").GetString()!;

        await server.RestartAsync();
        JsonElement asked = await AskedAsync(server, client);
        Assert.Equal(
            ("Secret? ", true, id, before.GetProperty("since").GetString()),
            (
                asked.GetProperty("prompt").GetString(),
                asked.GetProperty("password").GetBoolean(),
                asked.GetProperty("executionId").GetString(),
                asked.GetProperty("since").GetString()
            )
        );

        Assert.Equal(200, (await server.Rest.PostAsync($"/v1/kernels/{client.KernelId}/input", """{"value":"zanzibar-41"}""")).Status);
        RestReply second = await server.Rest.PostAsync($"/v1/kernels/{client.KernelId}/input", """{"value":"zanzibar-42"}""");
        Assert.Equal((409, "input-not-requested"), (second.Status, second.Code));

        await client.ExecutionAsync(cell, "succeeded");
        Assert.EndsWith(
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("zanzibar-41"u8))[..8] + "\n",
            await server.Rest.OutputTextAsync(id),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(
            Directory
                .EnumerateFiles(server.Data, "*", SearchOption.AllDirectories)
                .Where(static f => Path.GetExtension(f) is not ("" or ".lock" or ".sock")),
            static f => File.ReadAllBytes(f).AsSpan().IndexOf("zanzibar-41"u8) >= 0
        );
    }

    [Fact]
    public async Task The_cancel_of_a_cell_that_waits_in_the_kernel_interrupts_it_and_no_other()
    {
        await using TestServer server = await TestServer.StartAsync();
        using KernelClient client = await KernelClient.StartAsync(server);
        string go = server.PathOf("go");
        string first = client.Execute($"import os, time\nwhile not os.path.exists('{go}'): time.sleep(0.01)\nprint('whole')");
        string second = client.Execute("while True: time.sleep(0.01)");
        string third = client.Execute("print('third')", """{"cellId":"x"}""");
        await client.ExecutionAsync(first, "running");
        string id = (await client.ExecutionAsync(second, "queued")).GetProperty("id").GetString()!;

        Assert.Equal(200, (await server.Rest.PostAsync($"/v1/executions/{id}/cancel")).Status);
        await File.WriteAllTextAsync(go, "", TestContext.Current.CancellationToken);

        await client.ExecutionAsync(first, "succeeded");
        Assert.Equal("cancelled", (await client.ExecutionAsync(second, "cancelled")).GetProperty("cause").GetString());

        // The kernel drops what waits behind an error, unless the interrupt met it before the cell's code: then it says nothing and goes
        // on.
        Assert.Contains(
            (await client.ExecutionAsync(third, "cancelled", "succeeded")).GetProperty("cause").GetString(),
            (string[])["aborted", "ok"]
        );
    }

    [Fact]
    public async Task A_message_of_a_hundred_megabytes_costs_the_server_no_memory()
    {
        await using TestServer server = await TestServer.StartAsync();
        using KernelClient client = await KernelClient.StartAsync(server);
        await client.ExecutionAsync(client.Execute("print('warm')"), "succeeded");
        long before = PeakKilobytes(server);

        JsonElement ended = await client.ExecutionAsync(client.Execute("import sys\n_ = sys.stdout.write('x' * 100_000_000)"), "succeeded");

        Assert.Equal(100_000_000, ended.GetProperty("outputBytes").GetInt64());
        Assert.InRange(PeakKilobytes(server) - before, 0, 32 * 1024);
    }

    private static long PeakKilobytes(TestServer server)
    {
        string line = File.ReadLines($"/proc/{server.Process.Id.ToString(CultureInfo.InvariantCulture)}/status")
            .First(static l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    private static async Task<JsonElement> AskedAsync(TestServer server, KernelClient client)
    {
        JsonElement asked = default;
        await Patience.UntilAsync(
            async () =>
                (await server.Rest.GetAsync($"/v1/kernels/{client.KernelId}")).Must(200).Json.TryGetProperty("pendingInput", out asked),
            "the kernel asked"
        );
        return asked;
    }
}
