using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Recovery;

/// <summary>A disk without room under everything at once: the store, the journals, the files.</summary>
public sealed class FullDiskTests
{
    private const int Lines = 100_000;

    /// <summary>
    /// Goal: on a full disk each write is refused as disk-full, or waits; nothing that was acknowledged is lost, nothing that was is
    /// spoilt, and all goes on when there is room. Method: a job and a cell that say more than fits, and every kind of write, on a small
    /// tmpfs that is filled and emptied.
    /// </summary>
    [Fact]
    public async Task Every_write_is_refused_as_disk_full_or_waits_and_all_goes_on_when_there_is_room()
    {
        await using TestServer server = await TestServer.StartAsync(new TestServerOptions { SmallDisk = "size=40m", IsRootSmall = true });
        RestClient rest = server.Rest;
        string gate = server.PathOf("gate");
        string job = await rest.SubmitAsync($"echo begun; while [ ! -e '{gate}' ]; do sleep 0.05; done; seq 1 {Lines}");
        (
            await PutAsync(
                rest,
                "book.ipynb",
                Notebook(
                    $"""
                    import os, time
                    while not os.path.exists('{gate}'): time.sleep(0.05)
                    for n in range({Lines}): print(n)
                    """
                )
            )
        ).Must(201);
        (await PutAsync(rest, "text.txt", Text("old"))).Must(201);
        (await PutAsync(rest, "other.ipynb", Notebook("1"))).Must(201);
        JsonObject reactive = Notebook("1");
        reactive["content"]!["metadata"]!["holdfast"] = new JsonObject { ["mode"] = "reactive" };
        (await PutAsync(rest, "reactive.ipynb", reactive)).Must(201);
        string run = (await rest.PostAsync("/v1/notebooks/run", """{"path":"book.ipynb"}""")).Must(201).Json.GetProperty("id").GetString()!;
        string cell = (await rest.GetAsync($"/v1/notebooks/runs/{run}"))
            .Must(200)
            .Json.GetProperty("cells")[0]
            .GetProperty("executionId")
            .GetString()!;
        await rest.WaitForStateAsync(cell, "running");
        await rest.WaitForStateAsync(job, "running");
        string filler = Path.Combine(server.SeenData, "filler");
        Fill(filler);

        string large = new('x', 100_000);
        (string Name, Func<int, Task<RestReply>> Try)[] writes =
        [
            ("submit", n => rest.TrySubmitAsync(RestClient.Shell("true " + large[..4000]), $"key-{n}")),
            ("run a notebook", n => rest.PostAsync("/v1/notebooks/run", """{"path":"other.ipynb"}""", $"run-{n}")),
            ("run a cascade", _ => rest.PostAsync("/v1/notebooks/cascade", """{"path":"reactive.ipynb","cellId":"one"}""")),
            ("save a file", _ => PutAsync(rest, "text.txt", Text(large))),
            ("save a notebook", _ => PutAsync(rest, "other.ipynb", Notebook(large))),
            ("new file", n => PutAsync(rest, $"new-{n}.txt", Text(large))),
            ("upload", n => PutAsync(rest, $"upload-{n}.txt", Text(large, chunk: 1))),
            ("checkpoint", _ => rest.PostAsync("/api/contents/text.txt/checkpoints")),
            ("copy", _ => rest.PostAsync("/api/contents", """{"copy_from":"other.ipynb"}""")),
            ("start a kernel", _ => rest.PostAsync("/api/kernels", """{"name":"python3"}""")),
            (
                "start a session",
                n =>
                    rest.PostAsync(
                        "/api/sessions",
                        new JsonObject
                        {
                            ["path"] = $"s{n}.ipynb",
                            ["name"] = "s",
                            ["type"] = "notebook",
                            ["kernel"] = new JsonObject { ["name"] = "python3" },
                        }.ToJsonString()
                    )
            ),
            ("start a terminal", _ => rest.PostAsync("/api/terminals")),
            ("configure", n => SendAsync(rest, HttpMethod.Put, $"/api/config/c{n}", $$"""{"a":"{{large}}"}""")),
            ("make a token", n => rest.PostAsync("/v1/tokens", $$"""{"name":"t{{n}}","scopes":["read"]}""")),
        ];
        var acknowledged = new List<string>();
        foreach ((string name, Func<int, Task<RestReply>> attempt) in writes)
        {
            // What the store, or a page that is there already, still has room for is taken, and owed.
            RestReply? reply = null;
            for (int n = 0; n < 40 && reply?.Status is null or (>= 200 and < 300); n++)
            {
                reply = await attempt(n);
                if (name == "submit" && reply.Status == 201)
                {
                    acknowledged.Add(reply.Execution.Id);
                }
            }

            Assert.True(
                reply!.Status is (>= 200 and < 300) or 507,
                $"{name}: {reply.Status} {reply.Text[..Math.Min(500, reply.Text.Length)]}"
            );
            Assert.True(reply.Status != 507 || reply.Text.Contains("disk-full", StringComparison.Ordinal), $"{name}: {reply.Text}");
            Assert.True(reply.Status == 507 || name is "start a terminal" or "checkpoint" or "make a token", $"{name} was always taken.");
        }

        // What is there is read as ever.
        Assert.Equal("old", (await rest.GetAsync("/api/contents/text.txt")).Must(200).Json.GetProperty("content").GetString());
        Assert.Equal(
            "1",
            (await rest.GetAsync("/api/contents/other.ipynb"))
                .Must(200)
                .Json.GetProperty("content")
                .GetProperty("cells")[0]
                .GetProperty("source")
                .GetString()
        );
        foreach (
            string path in (string[])["/v1/executions", "/v1/recovery", "/metrics", "/readyz", "/api/kernels", "/api/contents", "/v1/locks"]
        )
        {
            (await rest.GetAsync(path)).Must(200);
        }

        File.WriteAllText(gate, "");
        await Patience.UntilAsync(async () => (await rest.ExecutionAsync(job)).Stalled is not null, "the job stood still for want of room");
        Assert.Equal("running", (await rest.ExecutionAsync(cell)).State);

        File.Delete(filler);
        ExecutionReply end = await rest.WaitAsync(job);
        Assert.Equal(("succeeded", 0), (end.State, end.ExitCode!.Value));
        Assert.Equal("begun\n" + Numbers(1), await rest.OutputTextAsync(job));
        Assert.Equal(
            "succeeded",
            (await rest.GetAsync($"/v1/notebooks/runs/{run}?timeoutSeconds={Patience.AskedSeconds}"))
                .Must(200)
                .Json.GetProperty("state")
                .GetString()
        );
        Assert.Equal(Numbers(0), await rest.OutputTextAsync(cell));
        JsonElement saved = (await rest.GetAsync("/api/contents/book.ipynb"))
            .Must(200)
            .Json.GetProperty("content")
            .GetProperty("cells")[0]
            .GetProperty("outputs");
        Assert.Equal(
            Numbers(0),
            string.Concat(
                saved
                    .EnumerateArray()
                    .Select(static o => o.GetProperty("text"))
                    .Select(static t =>
                        t.ValueKind == JsonValueKind.Array
                            ? string.Concat(t.EnumerateArray().Select(static l => l.GetString()))
                            : t.GetString()
                    )
            )
        );
        foreach (string id in acknowledged)
        {
            Assert.Equal("succeeded", (await rest.WaitAsync(id)).State);
        }

        foreach ((string name, Func<int, Task<RestReply>> attempt) in writes)
        {
            RestReply? reply = null;
            // It is looked at once a second.
            await Patience.UntilAsync(async () => (reply = await attempt(1000)).Status != 507, $"there was room again: {name}");
            Assert.True(
                reply!.Status is >= 200 and < 300,
                $"{name} after: {reply.Status} {reply.Text[..Math.Min(500, reply.Text.Length)]}"
            );
        }

        Assert.DoesNotContain("database disk image is malformed", server.Log, StringComparison.Ordinal);
    }

    private static string Numbers(int from) =>
        string.Concat(Enumerable.Range(from, Lines).Select(static n => string.Create(CultureInfo.InvariantCulture, $"{n}\n")));

    private static Task<RestReply> PutAsync(RestClient rest, string path, JsonObject model) =>
        SendAsync(rest, HttpMethod.Put, "/api/contents/" + path, model.ToJsonString());

    private static Task<RestReply> SendAsync(RestClient rest, HttpMethod method, string path, string body) =>
        rest.SendAsync(
            new HttpRequestMessage(method, path)
            {
                Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json")),
            }
        );

    private static JsonObject Text(string content, int? chunk = null)
    {
        var model = new JsonObject
        {
            ["type"] = "file",
            ["format"] = "text",
            ["content"] = content,
        };
        if (chunk is { } number)
        {
            model["chunk"] = number;
        }

        return model;
    }

    private static JsonObject Notebook(string source) =>
        new()
        {
            ["type"] = "notebook",
            ["format"] = "json",
            ["content"] = new JsonObject
            {
                ["cells"] = new JsonArray(
                    new JsonObject
                    {
                        ["cell_type"] = "code",
                        ["id"] = "one",
                        ["source"] = source,
                        ["metadata"] = new JsonObject(),
                        ["outputs"] = new JsonArray(),
                        ["execution_count"] = null,
                    }
                ),
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
            },
        };

    private static void Fill(string path)
    {
        using FileStream file = File.Create(path, bufferSize: 0);
        byte[] block = new byte[64 * 1024];
        foreach (int size in (int[])[block.Length, 4096])
        {
            try
            {
                while (true)
                {
                    file.Write(block, 0, size);
                }
            }
            catch (IOException)
            {
                // Full, to the block.
            }
        }
    }
}
