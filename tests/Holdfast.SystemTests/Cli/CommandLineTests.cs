using System.Globalization;
using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Cli;

/// <summary>The real program against the real server: what people's scripts rest on while servers die.</summary>
public sealed class CommandLineTests
{
    [Fact]
    public async Task Waiting_and_following_go_on_through_the_death_and_return_of_the_server()
    {
        await using TestServer server = await TestServer.StartAsync();
        string gate = server.PathOf("gate");
        string lines =
            $"i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo \"line $i\"; while [ $i -gt 20 ] && [ ! -e '{gate}' ]; do sleep 0.02; done; done; exit 7";
        string ended = await CliProcess.MustAsync(server.Data, "submit", "--", "true");
        string id = await CliProcess.MustAsync(server.Data, "submit", "--", "sh", "-c", lines);
        using CliProcess wait = CliProcess.Start(server.Data, "wait", ended, id);
        using CliProcess logs = CliProcess.Start(server.Data, "logs", "-f", id);
        await wait.HasWrittenAsync($"{ended} succeeded");
        await logs.HasWrittenAsync("line 20\n");

        await server.KillAsync();
        long written = OutputOf(server, id);
        await File.WriteAllTextAsync(gate, "", TestContext.Current.CancellationToken);
        await Patience.UntilAsync(() => OutputOf(server, id) > written, "the job wrote on without its server");
        await server.StartAgainAsync();

        (int waited, string outcome, _) = await wait.EndAsync();
        (int followed, string output, _) = await logs.EndAsync();
        Assert.Equal((7, 0), (waited, followed));
        Assert.Contains($"\n{id} failed (exit 7)", outcome, StringComparison.Ordinal);
        Assert.Equal(
            string.Concat(Enumerable.Range(1, 40).Select(i => string.Create(CultureInfo.InvariantCulture, $"line {i}\n"))),
            output
        );
    }

    [Fact]
    public async Task A_notebook_run_goes_on_through_the_death_and_return_of_the_server()
    {
        await using TestServer server = await TestServer.StartAsync();
        string notebook = server.PathOf("three.ipynb");
        string went = server.PathOf("went");
        await File.WriteAllTextAsync(
            notebook,
            Notebook($"open('{went}', 'w').close(); print('one')", "import time; time.sleep(2); print('two')", "print('three')"),
            TestContext.Current.CancellationToken
        );
        using CliProcess run = CliProcess.Start(server.Data, "run", notebook, "--output");
        await Patience.UntilAsync(() => File.Exists(went), "the first cell ran");

        await server.RestartAsync();

        (int exitCode, string output, string error) = await run.EndAsync();
        Assert.True(exitCode == 0, error);
        Assert.Equal("one\ntwo\nthree\n", output);
        Assert.Contains("[3/3]", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Submit_starts_one_server_however_many_ask_at_once_and_stop_leaves_its_work()
    {
        await using TestServer folder = TestServer.Prepare();
        CliProcess[] submits = [.. Enumerable.Range(0, 3).Select(_ => CliProcess.Start(folder.Data, "submit", "--", "sleep", "1000"))];
        try
        {
            foreach (CliProcess submit in submits)
            {
                (int exitCode, _, string error) = await submit.EndAsync();
                Assert.True(exitCode == 0, error);
                submit.Dispose();
            }

            await Patience.UntilAsync(
                async () => (await CliProcess.MustAsync(folder.Data, "ls", "--json", "--state", "running")).Split("\"id\"").Length == 4,
                "the three jobs ran"
            );
            Assert.Contains("3 jobs and 0 kernels live on", await CliProcess.MustAsync(folder.Data, "stop"), StringComparison.Ordinal);
            Assert.Equal(3, HouseProcesses.Work(folder.Data).Count(p => p.CommandLine.StartsWith("sleep", StringComparison.Ordinal)));
            using CliProcess ls = CliProcess.Start(folder.Data, "ls");
            Assert.Equal(3, (await ls.EndAsync()).ExitCode);
        }
        finally
        {
            using CliProcess stop = CliProcess.Start(folder.Data, "stop");
            _ = await stop.EndAsync();
        }
    }

    [Fact]
    public async Task Ctrl_C_stops_the_waiting_and_never_the_work()
    {
        await using TestServer server = await TestServer.StartAsync();
        string ready = server.PathOf("ready");
        string id = await CliProcess.MustAsync(server.Data, "submit", "--", "sh", "-c", $"echo here; touch '{ready}'; sleep 1000");
        await Patience.UntilAsync(() => File.Exists(ready), "the job ran");
        using CliProcess attach = CliProcess.Start(server.Data, "attach", id, "--no-stdin");
        Task<(int, string, string)> end = attach.EndAsync();

        // It catches the signal from the moment it waits on, which it does not announce: asked until it goes.
        await Patience.UntilAsync(
            () =>
            {
                attach.Interrupt();
                return end.IsCompleted;
            },
            "attach ended"
        );

        Assert.Equal(130, (await end).Item1);
        Assert.Contains("\"state\":\"running\"", await CliProcess.MustAsync(server.Data, "status", id, "--json"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reader_that_has_had_enough_ends_it_without_a_word()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await CliProcess.MustAsync(
            server.Data,
            "submit",
            "--",
            "sh",
            "-c",
            "i=0; while :; do i=$((i+1)); echo \"line $i\"; sleep 0.05; done"
        ); // It has always more to say.
        using CliProcess shell = CliProcess.StartProgram(
            server.Data,
            "/bin/bash",
            "-c",
            "\"$HOLDFAST\" logs -f \"$1\" | head -1; echo \"${PIPESTATUS[0]}\"",
            "bash",
            id
        );

        Assert.Equal((0, "line 1\n141\n", ""), await shell.EndAsync());
    }

    [Fact]
    public async Task What_is_appended_to_a_file_stands_behind_what_was_there()
    {
        await using TestServer server = await TestServer.StartAsync();
        string file = server.PathOf("out.txt");
        using CliProcess shell = CliProcess.StartProgram(
            server.Data,
            "/bin/sh",
            "-c",
            "(echo before; \"$HOLDFAST\" version; \"$HOLDFAST\" version; echo after) >\"$1\"",
            "sh",
            file
        );

        Assert.Equal(0, (await shell.EndAsync()).ExitCode);
        string version = await CliProcess.MustAsync(server.Data, "version");
        Assert.Equal($"before\n{version}\n{version}\nafter\n", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_doctor_is_content_with_a_good_house()
    {
        await using TestServer server = await TestServer.StartAsync();

        Assert.Contains("\"ok\":true", await CliProcess.MustAsync(server.Data, "doctor", "--json"), StringComparison.Ordinal);
    }

    private static string Notebook(params string[] sources) =>
        new JsonObject
        {
            ["cells"] = new JsonArray([
                .. sources.Select(
                    (source, index) =>
                        (JsonNode)
                            new JsonObject
                            {
                                ["cell_type"] = "code",
                                ["execution_count"] = null,
                                ["id"] = string.Create(CultureInfo.InvariantCulture, $"cell-{index}"),
                                ["metadata"] = new JsonObject(),
                                ["outputs"] = new JsonArray(),
                                ["source"] = source,
                            }
                ),
            ]),
            ["metadata"] = new JsonObject
            {
                ["kernelspec"] = new JsonObject
                {
                    ["name"] = "python3",
                    ["display_name"] = "Python 3",
                    ["language"] = "python",
                },
            },
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
        }.ToJsonString();

    /// <summary>How large the job's journal is, which its supervisor writes with or without a server.</summary>
    private static long OutputOf(TestServer server, string id) =>
        Directory.EnumerateFiles(server.AttemptsOf(id)[^1].Journal, "*.hfj").Sum(f => new FileInfo(f).Length);
}
