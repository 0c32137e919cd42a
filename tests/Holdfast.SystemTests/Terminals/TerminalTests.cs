using System.Globalization;
using System.Text.Json;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Terminals;

/// <summary>Terminals as Jupyter's clients use them: real shells on real terminals, through a real server.</summary>
public sealed class TerminalTests(SharedServer shared) : IClassFixture<SharedServer>
{
    private readonly TestServer _server = shared.Server;

    [Fact]
    public async Task A_terminal_is_started_listed_looked_at_and_stopped()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_server.Root, "below")).FullName;
        RestReply started = (await _server.Rest.PostAsync("/api/terminals?1732", """{"cwd":"below"}""")).Must(200);
        string name = started.Json.GetProperty("name").GetString()!;
        Assert.Matches(@"^\d+$", name);
        Assert.True(
            DateTime.TryParseExact(
                started.Json.GetProperty("last_activity").GetString(),
                "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'",
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out _
            )
        );
        Assert.Contains(name, await NamesAsync());
        Assert.Equal(name, (await _server.Rest.GetAsync($"/api/terminals/{name}")).Must(200).Json.GetProperty("name").GetString());

        await using TerminalClient client = await TerminalClient.ConnectAsync(_server, name);
        await client.TypeAsync("cd \"$PWD\"; echo at:$PWD term:$TERM tty:$(tty)\r");
        await client.UntilShownAsync($"at:{folder} term:xterm-256color tty:/dev/pts/");

        (await DeleteAsync(name)).Must(204);
        await client.UntilClosedAsync();
        Assert.True(client.IsDisconnected);
        Assert.Equal(1000, client.CloseStatus);
        Assert.DoesNotContain(name, await NamesAsync());
        RestReply gone = (await DeleteAsync(name)).Must(404);
        Assert.Equal("terminal-not-found", gone.Json.GetProperty("reason").GetString());
        (await _server.Rest.GetAsync($"/api/terminals/{name}")).Must(404);
    }

    [Fact]
    public async Task A_name_that_is_asked_for_is_given_and_asked_again_is_the_same_terminal()
    {
        string first = await StartAsync("""{"name":"mine"}""", "execution_id");
        Assert.Equal(first, await StartAsync("""{"name":"mine"}""", "execution_id"));
        (await _server.Rest.PostAsync("/api/terminals", """{"name":"not/mine"}""")).Must(400);
        (await DeleteAsync("mine")).Must(204);
        Assert.NotEqual(first, await StartAsync("""{"name":"mine"}""", "execution_id"));
        (await DeleteAsync("mine")).Must(204);
    }

    [Fact]
    public async Task Control_c_interrupts_and_the_size_is_the_smallest_of_those_who_look()
    {
        string name = await StartAsync();
        await using TerminalClient first = await TerminalClient.ConnectAsync(_server, name);
        await first.ResizeAsync(50, 132);
        await first.TypeAsync("stty size\r");
        await first.UntilShownAsync("50 132\r");
        await using (TerminalClient second = await TerminalClient.ConnectAsync(_server, name))
        {
            await second.ResizeAsync(60, 100);
            await second.TypeAsync("stty size\r");
            await first.UntilShownAsync("50 100\r");
        }

        await Patience.UntilAsync(
            async () =>
            {
                await first.TypeAsync("echo again $(stty size)\r");
                return first.Screen.Contains("again 50 132\r", StringComparison.Ordinal);
            },
            "the first had all its room again"
        );

        // Its own echo, printed by the foreground child, says that it runs.
        await first.TypeAsync("sh -c 'echo sleep''ing; sleep 1000'\r");
        await first.UntilShownAsync("sleeping\r");
        await first.TypeAsync("\u0003");
        await first.TypeAsync("echo code $?\r");
        await first.UntilShownAsync("code 130\r");
        (await DeleteAsync(name)).Must(204);
    }

    [Fact]
    public async Task A_later_client_gets_the_screen_back_after_a_reset_and_characters_are_never_cut()
    {
        string name = await StartAsync();
        await using TerminalClient first = await TerminalClient.ConnectAsync(_server, name);
        await BeginsToSeeAsync(first);
        await first.TypeAsync("stty -echo; for i in $(seq 20000); do echo \"$i ä€😀ä€😀ä€😀\"; done; echo do''ne\r");
        await first.UntilShownAsync("\ndone\r");
        Assert.DoesNotContain("\ufffd", first.Screen, StringComparison.Ordinal);
        Assert.Contains(
            string.Concat(Enumerable.Range(1, 20_000).Select(i => $"{i} ä€😀ä€😀ä€😀\r\n")),
            first.Screen,
            StringComparison.Ordinal
        );

        await using TerminalClient second = await TerminalClient.ConnectAsync(_server, name);
        await second.UntilShownAsync("\ndone\r");
        Assert.StartsWith("\ec", second.Screen, StringComparison.Ordinal);
        Assert.DoesNotContain("\ufffd", second.Screen, StringComparison.Ordinal);
        // The prompt that follows has come to one of them, or to both.
        Assert.EndsWith(UpToDone(second)[2..], UpToDone(first), StringComparison.Ordinal);
        Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(second.Screen), 100_000, 140_000);
        (await DeleteAsync(name)).Must(204);
    }

    [Fact]
    public async Task A_shell_that_is_left_disconnects_and_its_words_are_kept_with_its_execution()
    {
        string id = await StartAsync("""{"name":"left"}""", "execution_id");
        await using TerminalClient client = await TerminalClient.ConnectAsync(_server, "left");
        await client.TypeAsync("echo last wo''rds; exit 3\r");
        await client.UntilClosedAsync();

        Assert.True(client.IsDisconnected);
        ExecutionReply end = await _server.Rest.WaitAsync(id);
        Assert.Equal(("failed", 3), (end.State, end.ExitCode));
        Assert.Contains(
            "last words\r\n",
            (await _server.Rest.GetAsync($"/v1/executions/{id}/output")).Must(200).Text,
            StringComparison.Ordinal
        );
        (await _server.Rest.CommandAsync(id, "retry")).Must(409);
        Assert.DoesNotContain("left", await NamesAsync());
    }

    [Theory]
    [InlineData("{}", 1007)]
    [InlineData("[1]", 1007)]
    [InlineData("""["stdin", 5]""", 1007)]
    [InlineData("nonsense", 1007)]
    public async Task What_is_no_message_closes_that_client_and_harms_nobody_else(string message, int status)
    {
        string name = await StartAsync();
        await using TerminalClient other = await TerminalClient.ConnectAsync(_server, name);
        await using TerminalClient client = await TerminalClient.ConnectAsync(_server, name);
        await client.SendAsync("""["unknown", {"a": [1, 2]}]""");
        await client.SendAsync(message);
        await client.UntilClosedAsync();

        Assert.Equal(status, client.CloseStatus);
        await other.TypeAsync("echo al''ive\r");
        await other.UntilShownAsync("alive\r");
        (await DeleteAsync(name)).Must(204);
    }

    [Fact]
    public async Task A_client_that_does_not_read_keeps_nobody_waiting_and_is_caught_up()
    {
        string name = await StartAsync();
        await using TerminalClient stalled = await TerminalClient.ConnectAsync(_server, name, reads: false);
        await using TerminalClient client = await TerminalClient.ConnectAsync(_server, name);
        await BeginsToSeeAsync(client);
        await client.TypeAsync("stty -echo; seq 2000000; echo do''ne\r"); // 15 MB: more than the sockets between us hold.
        await client.UntilShownAsync("\ndone\r");
        stalled.BeginReading();
        await stalled.UntilShownAsync("\ndone\r");

        string shown = UpToDone(client);
        Assert.EndsWith(shown[shown.IndexOf("1\r\n2\r\n", StringComparison.Ordinal)..], UpToDone(stalled), StringComparison.Ordinal);
        (await DeleteAsync(name)).Must(204);
    }

    private static string UpToDone(TerminalClient client) => client.Screen[..client.Screen.IndexOf("\ndone\r", StringComparison.Ordinal)];

    /// <summary>What is typed may have run before its client is shown anything, and who comes late is shown the last of it only.</summary>
    private static async Task BeginsToSeeAsync(TerminalClient client)
    {
        await client.TypeAsync("echo se''en\r");
        await client.UntilShownAsync("seen\r");
    }

    private async Task<string> StartAsync(string? body = null, string field = "name") =>
        (await _server.Rest.PostAsync("/api/terminals", body)).Must(200).Json.GetProperty(field).GetString()!;

    private async Task<List<string?>> NamesAsync() =>
        [
            .. (await _server.Rest.GetAsync("/api/terminals"))
                .Must(200)
                .Json.EnumerateArray()
                .Select(static t => t.GetProperty("name").GetString()),
        ];

    private Task<RestReply> DeleteAsync(string name) =>
        _server.Rest.SendAsync(new HttpRequestMessage(HttpMethod.Delete, $"/api/terminals/{name}"));
}
