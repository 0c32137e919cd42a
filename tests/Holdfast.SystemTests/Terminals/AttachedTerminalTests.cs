using System.Text.Json.Nodes;
using Holdfast.Protocol.Processes;
using Holdfast.SystemTests.Cli;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Terminals;

/// <summary>`holdfast attach` on a real terminal: one that another job holds, in which it runs and into which the test types.</summary>
public sealed class AttachedTerminalTests
{
    [Fact]
    public async Task Every_key_goes_to_the_job_which_has_our_size_and_is_left_alone_by_us_and_by_kill_9()
    {
        await using TestServer server = await TestServer.StartAsync(new TestServerOptions { KeepsPort = true });
        string shell = await CliProcess.MustAsync(server.Data, "submit", "--pty", "--", "sh");
        string outer = (
            await server.Rest.TrySubmitAsync(
                new JsonObject
                {
                    ["argv"] = new JsonArray(
                        "sh",
                        "-c",
                        "stty size; stty -a >before; \"$0\" attach \"$1\"; echo left with $?; stty -a | diff before - && echo as it was; sleep 1000",
                        CliProcess.Program,
                        shell
                    ),
                    ["pty"] = true,
                    ["rows"] = 33,
                    ["columns"] = 77,
                    ["cwd"] = server.Folder,
                    ["env"] = new JsonObject { ["HOLDFAST_DATA"] = server.Data },
                }
            )
        ).Must(201).Execution.Id;

        _ = await server.Rest.WaitForStateAsync(outer, "running");
        await TypeAsync(server, outer, "echo re''ady\r");
        await UntilShownAsync(server, outer, "ready\r\n");
        await TypeAsync(server, outer, "echo size $(stty size); sleep 1000\r");
        await UntilShownAsync(server, outer, "size 33 77\r\n");
        await TypeAsync(server, outer, "\u0003");
        await TypeAsync(server, outer, "echo inter''rupted\r");
        await UntilShownAsync(server, outer, "interrupted\r\n");

        int client = HouseProcesses.Work(server.Data).Single(p => p.CommandLine.Contains($" attach {shell}", StringComparison.Ordinal)).Pid;
        _ = Libc.Kill(client, Libc.SigStop);
        _ = Libc.Kill(client, Libc.SigCont);
        await TypeAsync(server, outer, "echo con''tinued\r");
        await UntilShownAsync(server, outer, "continued\r\n");

        await server.KillAsync();
        await server.StartAgainAsync();
        await TypeAsync(server, outer, "echo after''wards\r");
        await UntilShownAsync(server, outer, "afterwards\r\n");
        await TypeAsync(server, outer, "\u001d");
        await UntilShownAsync(server, outer, "left with 0\r\nas it was\r\n");
        Assert.Equal("running", (await server.Rest.ExecutionAsync(shell)).State);

        foreach (string id in (string[])[shell, outer])
        {
            (await server.Rest.CommandAsync(id, "cancel")).Must(200);
            _ = await server.Rest.WaitAsync(id);
        }

        await server.MustLeaveNothingAsync();
    }

    private static async Task TypeAsync(TestServer server, string id, string text) =>
        (await server.Rest.PostAsync($"/v1/executions/{id}/stdin", text)).Must(200);

    private static async Task UntilShownAsync(TestServer server, string id, string text)
    {
        string shown = "";
        try
        {
            await Patience.UntilAsync(
                async () =>
                    (shown = (await server.Rest.GetAsync($"/v1/executions/{id}/output")).Must(200).Text).Contains(
                        text,
                        StringComparison.Ordinal
                    ),
                "it was shown"
            );
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"Waited in vain for '{text}'. The terminal shows:\n{shown}", e);
        }
    }
}
