using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Holdfast.SystemTests.Serving;

/// <summary>A notebook under a server's root that is edited as any editor would, by its file, and run by cascades.</summary>
internal sealed class ReactiveBook
{
    private readonly TestServer _server;
    private readonly List<(string Id, string Source)> _cells;

    public ReactiveBook(TestServer server, string name, params (string Id, string Source)[] cells)
    {
        (_server, _cells) = (server, [.. cells]);
        Path = System.IO.Path.Combine(server.Root, name + ".ipynb");
        Write();
    }

    public string Path { get; private set; }

    public void MovedTo(string path) => Path = path;

    /// <summary>Reactive from now on, by the metadata.</summary>
    public async Task ModeAsync(bool isAutorun) =>
        (
            await _server.Rest.SendAsync(
                new HttpRequestMessage(HttpMethod.Patch, $"/v1/notebooks?path={Uri.EscapeDataString(Path)}")
                {
                    Content = Json(new JsonObject { ["mode"] = "reactive", ["autorun"] = isAutorun }),
                }
            )
        ).Must(200);

    /// <summary>An edit over REST; the verdict.</summary>
    public async Task<JsonElement> PutAsync(string id, string source, int? index = null)
    {
        int at = _cells.FindIndex(c => c.Id == id);
        if (at >= 0)
        {
            _cells[at] = (id, source);
        }
        else
        {
            _cells.Insert(index!.Value, (id, source));
        }

        var body = new JsonObject
        {
            ["path"] = Path,
            ["cellId"] = id,
            ["source"] = source,
        };
        if (index is { } place)
        {
            body["index"] = place;
        }

        return (await _server.Rest.SendAsync(new HttpRequestMessage(HttpMethod.Put, "/v1/notebooks/cells") { Content = Json(body) }))
            .Must(200)
            .Json;
    }

    public async Task<JsonElement> GraphAsync() =>
        (await _server.Rest.GetAsync($"/v1/notebooks/graph?path={Uri.EscapeDataString(Path)}")).Must(200).Json;

    /// <summary><c>cell:fresh</c> or <c>cell:stale</c>, in the order of the notebook.</summary>
    public async Task<string> FreshnessAsync() =>
        string.Join(
            ' ',
            (await GraphAsync())
                .GetProperty("cells")
                .EnumerateArray()
                .Select(static c => $"{c.GetProperty("cellId").GetString()}:{(c.GetProperty("stale").GetBoolean() ? "stale" : "fresh")}")
        );

    public Task WaitForFreshnessAsync(string wanted) => Patience.UntilAsync(async () => await FreshnessAsync() == wanted, wanted);

    public Task WaitForOutputAsync(string cell, string wanted) =>
        Patience.UntilAsync(() => Output(cell) == wanted, $"{cell} said {wanted}");

    /// <summary>The cascade of this notebook that was planned last; null when there was none yet.</summary>
    public async Task<JsonElement?> LatestCascadeAsync()
    {
        JsonElement executions = (await _server.Rest.GetAsync("/v1/executions?kind=cell&limit=100"))
            .Must(200)
            .Json.GetProperty("executions");
        foreach (
            string run in executions
                .EnumerateArray()
                .Select(static e => e.TryGetProperty("runId", out JsonElement run) ? run.GetString() : null)
                .OfType<string>()
                .Distinct()
        )
        {
            JsonElement cascade = (await _server.Rest.GetAsync($"/v1/notebooks/cascades/{run}")).Must(200).Json;
            if (cascade.GetProperty("path").GetString() == Path)
            {
                return cascade;
            }
        }

        return null;
    }

    /// <summary>Its cells, in their order.</summary>
    public async Task<string> LatestPlanAsync() =>
        await LatestCascadeAsync() is { } latest
            ? string.Join(' ', latest.GetProperty("cells").EnumerateArray().Select(static c => c.GetProperty("cellId").GetString()))
            : "";

    /// <summary>The first event of this kind about the notebook.</summary>
    public async Task<JsonElement> ToldAsync(string kind)
    {
        await foreach (
            StreamEvent one in _server.Rest.FollowAsync(
                $"/v1/feed?subject={Uri.EscapeDataString(Path)}&after=0",
                null,
                CancellationToken.None
            )
        )
        {
            if (one.Name == kind)
            {
                return JsonDocument.Parse(one.Data).RootElement;
            }
        }

        throw new InvalidOperationException("The feed ended.");
    }

    private static StringContent Json(JsonObject body) => new(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json");

    /// <summary>Changes a cell's source, or adds the cell.</summary>
    public void Edit(string id, string source)
    {
        Remember(id, source);
        Write();
    }

    /// <summary>The same, not yet saved.</summary>
    public void Remember(string id, string source)
    {
        int at = _cells.FindIndex(c => c.Id == id);
        if (at < 0)
        {
            _cells.Add((id, source));
        }
        else
        {
            _cells[at] = (id, source);
        }
    }

    public void Delete(string id)
    {
        _cells.RemoveAll(c => c.Id == id);
        Write();
    }

    public string Request(string? cell = null, bool resume = false)
    {
        var body = new JsonObject { ["path"] = Path };
        if (cell is not null)
        {
            body["cellId"] = cell;
        }

        if (resume)
        {
            body["resume"] = true;
        }

        return body.ToJsonString();
    }

    public async Task<Cascade> BeginAsync(string? cell = null, bool resume = false) =>
        new(_server, (await _server.Rest.PostAsync("/v1/notebooks/cascade", Request(cell, resume))).Must(201).Json);

    /// <summary>Runs a cascade to its end: `cell=state` of each, in the order of the plan.</summary>
    public async Task<string> RunAsync(string? cell = null) => await (await BeginAsync(cell)).EndAsync();

    /// <summary>The text that a cell has in the file: its streams, and the name of its error.</summary>
    public string Output(string id)
    {
        using var notebook = JsonDocument.Parse(File.ReadAllBytes(Path));
        JsonElement cell = notebook.RootElement.GetProperty("cells").EnumerateArray().Single(c => c.GetProperty("id").GetString() == id);
        return string.Concat(
            cell.GetProperty("outputs")
                .EnumerateArray()
                .Select(static o =>
                    o.GetProperty("output_type").GetString() switch
                    {
                        "stream" => Text(o.GetProperty("text")),
                        "error" => $"[{o.GetProperty("ename").GetString()}]",
                        _ => Text(o.GetProperty("data").GetProperty("text/plain")),
                    }
                )
        );
    }

    private static string Text(JsonElement text) =>
        text.ValueKind == JsonValueKind.Array
            ? string.Concat(text.EnumerateArray().Select(static line => line.GetString()))
            : text.GetString()!;

    /// <summary>What is there is kept but for the sources: an editor does not throw outputs away.</summary>
    private void Write()
    {
        string temporary = Path + ".new";
        File.WriteAllText(temporary, Text());
        File.Move(temporary, Path, overwrite: true);
    }

    /// <summary>What an editor would save.</summary>
    public string Text()
    {
        JsonObject? before = File.Exists(Path) ? JsonNode.Parse(File.ReadAllBytes(Path))!.AsObject() : null;
        var written = new JsonArray();
        foreach ((string id, string source) in _cells)
        {
            JsonNode? known = before?["cells"]!.AsArray().FirstOrDefault(c => c!["id"]!.GetValue<string>() == id)?.DeepClone();
            JsonObject cell =
                known?.AsObject()
                ?? new JsonObject
                {
                    ["cell_type"] = "code",
                    ["id"] = id,
                    ["metadata"] = new JsonObject(),
                    ["execution_count"] = null,
                    ["outputs"] = new JsonArray(),
                };
            cell["source"] = source;
            written.Add((JsonNode)cell);
        }

        var notebook = new JsonObject
        {
            ["cells"] = written,
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
            ["metadata"] =
                before?["metadata"]?.DeepClone()
                ?? new JsonObject
                {
                    ["kernelspec"] = new JsonObject
                    {
                        ["name"] = "python3",
                        ["display_name"] = "Python 3",
                        ["language"] = "python",
                    },
                },
        };
        return notebook.ToJsonString() + "\n";
    }
}

/// <summary>A cascade that was accepted.</summary>
internal sealed class Cascade(TestServer server, JsonElement accepted)
{
    public string Id => accepted.GetProperty("id").GetString()!;
    public string KernelId => accepted.GetProperty("kernelId").GetString()!;
    public string Plan =>
        string.Join(' ', accepted.GetProperty("cells").EnumerateArray().Select(static c => c.GetProperty("cellId").GetString()));

    public string Execution(string cell) =>
        accepted
            .GetProperty("cells")
            .EnumerateArray()
            .Single(c => c.GetProperty("cellId").GetString() == cell)
            .GetProperty("executionId")
            .GetString()!;

    public async Task<JsonElement> LookAsync(int waitSeconds = 0) =>
        (
            await server.Rest.GetAsync(
                string.Create(CultureInfo.InvariantCulture, $"/v1/notebooks/cascades/{Id}?timeoutSeconds={waitSeconds}")
            )
        )
            .Must(200)
            .Json;

    public async Task<string> EndAsync()
    {
        JsonElement end = await LookAsync(Patience.AskedSeconds);
        return end.GetProperty("finishedAt").ValueKind != JsonValueKind.Null
            ? Told(end)
            : throw new TimeoutException($"The cascade did not end: {end}");
    }

    public static string Told(JsonElement cascade) =>
        string.Join(
            ' ',
            cascade
                .GetProperty("cells")
                .EnumerateArray()
                .Select(static c => $"{c.GetProperty("cellId").GetString()}={c.GetProperty("state").GetString()}")
        );

    public Task WaitForAsync(string cell, string state) => server.Rest.WaitForStateAsync(Execution(cell), state);
}
