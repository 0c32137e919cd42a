using System.Text;
using System.Text.Json;
using Holdfast.Protocol.Link;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Servers;

/// <summary>
/// A new server over the supervisors of another version. Until there is a released binary to keep, those are played by the test.
/// </summary>
public sealed class OtherVersionTests
{
    private const int Ours = LinkCodec.ProtocolVersion;

    [Fact]
    public async Task A_supervisor_one_protocol_behind_is_taken_up_and_its_output_and_end_are_its_own()
    {
        await using TestServer server = await TestServer.StartAsync();
        string id = await RunningAsync(server);
        using PlayedSupervisor older = await PlayedSupervisor.TakeOverAsync(
            server,
            id,
            "0.0.9",
            static hello => PlayedSupervisor.Welcome(hello, Ours - 1, "0.0.9")
        );
        older.Print("while nobody was there\n");
        await server.StartAgainAsync();

        Assert.Equal(("readopted", null), await VerdictAsync(server, id));
        Assert.Equal("fresh", (await FindAsync(server, id)).GetProperty("liveness").GetString());
        older.Print("under the next server\n");
        await Patience.UntilAsync(
            async () => (await server.Rest.OutputTextAsync(id)).EndsWith("next server\n", StringComparison.Ordinal),
            "its output was read"
        );
        older.End();

        ExecutionReply end = await server.Rest.WaitAsync(id);
        Assert.Equal(("succeeded", 0, 1), (end.State, end.ExitCode, end.Attempt));
        Assert.Equal("begun\nwhile nobody was there\nunder the next server\n", await server.Rest.OutputTextAsync(id));
        Assert.DoesNotContain(LinkMessageType.Stop, older.Asked);
    }

    /// <summary>
    /// Goal: what cannot be understood costs that one item, is said in its words, and is never ended for it. Method: a supervisor that
    /// answers in a later protocol than it was offered, and one that answers something else; beside it another job, which must not notice.
    /// </summary>
    [Theory]
    [InlineData(true, "speaks protocol 2; this server speaks 1 at most")]
    [InlineData(false, "cannot be read")]
    public async Task One_that_cannot_be_understood_is_one_item_with_its_reason_and_is_let_be(bool isNewer, string reason)
    {
        await using TestServer server = await TestServer.StartAsync();
        string other = await server.Rest.SubmitAsync("sleep 1000");
        await server.Rest.WaitForStateAsync(other, "running");
        string id = await RunningAsync(server);
        using PlayedSupervisor strange = await PlayedSupervisor.TakeOverAsync(
            server,
            id,
            "9.0",
            hello =>
                isNewer ? PlayedSupervisor.Welcome(hello, Ours + 1, "9.0") : Encoding.ASCII.GetBytes("HTTP/1.1 400 Bad Request\r\n\r\n")
        );
        strange.Print("still here\n");
        await server.StartAgainAsync();

        (string verdict, string? why) = await VerdictAsync(server, id);
        Assert.Equal("readopted", verdict);
        Assert.Contains(reason, why, StringComparison.Ordinal);
        Assert.Equal(("readopted", null), await VerdictAsync(server, other));
        JsonElement seen = await FindAsync(server, id);
        Assert.Equal("stale", seen.GetProperty("liveness").GetString());
        Assert.Contains(reason, seen.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal("fresh", (await FindAsync(server, other)).GetProperty("liveness").GetString());

        // What it says is read, since that needs no link; and what needs one is refused.
        Assert.Equal("running", (await server.Rest.ExecutionAsync(id)).State);
        Assert.Equal("begun\nstill here\n", await server.Rest.OutputTextAsync(id));
        strange.End();
        Assert.Equal("succeeded", (await server.Rest.WaitAsync(id)).State);
        Assert.DoesNotContain(strange.Asked, static asked => asked != LinkMessageType.Hello);
        Assert.Equal("running", (await server.Rest.ExecutionAsync(other)).State);
    }

    /// <summary>A job that has said "begun", and whose server is dead.</summary>
    private static async Task<string> RunningAsync(TestServer server)
    {
        string id = await server.Rest.SubmitAsync("echo begun; sleep 1000");
        await Patience.UntilAsync(
            async () => (await server.Rest.GetAsync($"/v1/executions/{id}/output")) is { Status: 200, Text: "begun\n" },
            "it had begun"
        );
        await server.Rest.WaitForStateAsync(id, "running");
        await server.KillAsync();
        return id;
    }

    private static async Task<(string Verdict, string? Reason)> VerdictAsync(TestServer server, string execution)
    {
        JsonElement report = (await server.Rest.GetAsync("/v1/recovery")).Must(200).Json;
        JsonElement one = report
            .GetProperty("attempts")
            .EnumerateArray()
            .Single(a => a.GetProperty("executionId").GetString() == execution);
        return (one.GetProperty("verdict").GetString()!, one.GetProperty("reason").GetString());
    }

    private static async Task<JsonElement> FindAsync(TestServer server, string execution) =>
        (await server.Rest.GetAsync("/v1/supervisors"))
            .Must(200)
            .Json.GetProperty("supervisors")
            .EnumerateArray()
            .Single(s => s.GetProperty("executionId").GetString() == execution);
}
