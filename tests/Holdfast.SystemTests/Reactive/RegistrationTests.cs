using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Reactive;

/// <summary>Edits of reactive notebooks over REST, with a second client that follows, and through kill -9.</summary>
public sealed class RegistrationTests
{
    [Fact]
    public async Task A_verdict_reaches_the_other_client_and_survives_kill_9_also_where_the_file_has_it_not()
    {
        await using TestServer server = await TestServer.StartAsync();
        string path = Write(server, ("a", "x = 1"), ("b", "y = x"), ("c", "print(y)"));
        Must(
            200,
            await SendAsync(
                server,
                HttpMethod.Patch,
                $"/v1/notebooks?path={Uri.EscapeDataString(path)}",
                new JsonObject { ["mode"] = "reactive" }
            )
        );

        JsonElement verdict = Must(200, await EditAsync(server, path, "a", "x = y"));
        Assert.Equal(("blocked", "cycle"), (verdict.GetProperty("state").GetString(), verdict.GetProperty("reason").GetString()));
        JsonElement told = await ToldAsync(server, path);
        Assert.Equal("a:blocked b:blocked", States(told));
        Assert.Equal(
            "a.x b.y",
            string.Join(
                ' ',
                told.GetProperty("reasons")[0]
                    .GetProperty("cycle")
                    .EnumerateArray()
                    .Select(s => $"{s.GetProperty("cellId")}.{s.GetProperty("variable")}")
            )
        );

        await server.KillAsync();
        await server.StartAgainAsync();
        Assert.Equal("a:blocked b:blocked c:ok", States(await GraphAsync(server, path)));
        Must(200, await EditAsync(server, path, "b", "y = 2"));
        Assert.Equal("a:ok b:ok c:ok", States(await GraphAsync(server, path)));

        RestReply conflict = await SendAsync(
            server,
            HttpMethod.Put,
            "/v1/notebooks/cells",
            new JsonObject
            {
                ["path"] = path,
                ["cellId"] = "b",
                ["source"] = "y = 3",
                ["basedOn"] = "00",
            }
        );
        Assert.Equal("cell-changed", conflict.Must(409).Code);
        (await SendAsync(server, HttpMethod.Delete, $"/v1/notebooks/cells?path={Uri.EscapeDataString(path)}&cellId=b", null)).Must(204);
        Assert.Equal("a:ok c:ok", States(await GraphAsync(server, path)));
        Assert.DoesNotContain("y = 2", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains("x = y", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private static string States(JsonElement graph) =>
        string.Join(' ', graph.GetProperty("cells").EnumerateArray().Select(c => $"{c.GetProperty("cellId")}:{c.GetProperty("state")}"));

    private static Task<RestReply> EditAsync(TestServer server, string path, string cell, string source) =>
        SendAsync(
            server,
            HttpMethod.Put,
            "/v1/notebooks/cells",
            new JsonObject
            {
                ["path"] = path,
                ["cellId"] = cell,
                ["source"] = source,
            }
        );

    private static async Task<JsonElement> GraphAsync(TestServer server, string path) =>
        Must(200, await server.Rest.GetAsync($"/v1/notebooks/graph?path={Uri.EscapeDataString(path)}"));

    private static async Task<JsonElement> ToldAsync(TestServer server, string path)
    {
        await foreach (
            StreamEvent one in server.Rest.FollowAsync(
                $"/v1/feed?subject={Uri.EscapeDataString(path)}",
                null,
                TestContext.Current.CancellationToken
            )
        )
        {
            JsonElement body = JsonDocument.Parse(one.Data).RootElement;
            if (body.GetProperty("cellId").ValueKind == JsonValueKind.String)
            {
                return body;
            }
        }

        throw new InvalidOperationException("The feed ended.");
    }

    private static Task<RestReply> SendAsync(TestServer server, HttpMethod method, string path, JsonObject? body) =>
        server.Rest.SendAsync(
            new HttpRequestMessage(method, path)
            {
                Content = body is null ? null : new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json"),
            }
        );

    private static JsonElement Must(int status, RestReply reply) => reply.Must(status).Json;

    private static string Write(TestServer server, params (string Id, string Source)[] cells)
    {
        string path = Path.Combine(server.Root, "edits.ipynb");
        var list = new JsonArray([
            .. cells.Select(c => new JsonObject
            {
                ["cell_type"] = "code",
                ["execution_count"] = null,
                ["id"] = c.Id,
                ["metadata"] = new JsonObject(),
                ["outputs"] = new JsonArray(),
                ["source"] = c.Source,
            }),
        ]);
        var kernel = new JsonObject
        {
            ["display_name"] = "Python 3",
            ["language"] = "python",
            ["name"] = "python3",
        };
        File.WriteAllText(
            path,
            new JsonObject
            {
                ["cells"] = list,
                ["metadata"] = new JsonObject { ["kernelspec"] = kernel },
                ["nbformat"] = 4,
                ["nbformat_minor"] = 5,
            }.ToJsonString()
        );
        return path;
    }
}
