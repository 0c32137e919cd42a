using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Kernels;

/// <summary>A kernel that a client of REST started, which is made to run code by notebooks of one cell.</summary>
internal sealed class HouseKernel(TestServer server, string id)
{
    private int _notebooks;

    public string Id { get; } = id;

    public static async Task<HouseKernel> StartAsync(TestServer server, JsonObject? request = null) =>
        new(
            server,
            (await server.Rest.PostAsync("/v1/kernels", (request ?? []).ToJsonString())).Must(201).Json.GetProperty("id").GetString()!
        );

    public async Task<JsonElement> GetAsync() => (await server.Rest.GetAsync("/v1/kernels/" + Id)).Must(200).Json;

    public async Task<int> PidAsync() => (await GetAsync()).GetProperty("pid").GetInt32();

    /// <summary>Has it run code, and returns the run's id at once.</summary>
    public Task<string> BeginAsync(string code) =>
        BeginAsync(server, code, Id, string.Create(CultureInfo.InvariantCulture, $"{Id}-{++_notebooks}"));

    /// <summary>What the code printed.</summary>
    public async Task<string> RunAsync(string code)
    {
        string run = await BeginAsync(code);
        JsonElement ended = (await server.Rest.GetAsync($"/v1/notebooks/runs/{run}?timeoutSeconds={Patience.AskedSeconds}")).Must(200).Json;
        string cell = ended.GetProperty("cells")[0].GetProperty("executionId").GetString()!;
        return await server.Rest.OutputTextAsync(cell);
    }

    /// <summary>Runs code in a kernel given by its id, or of a kernelspec.</summary>
    public static async Task<string> BeginAsync(TestServer server, string code, string kernel, string name)
    {
        var notebook = new JsonObject
        {
            ["cells"] = new JsonArray(
                new JsonObject
                {
                    ["cell_type"] = "code",
                    ["id"] = "only",
                    ["metadata"] = new JsonObject(),
                    ["execution_count"] = null,
                    ["outputs"] = new JsonArray(),
                    ["source"] = code,
                }
            ),
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
            ["metadata"] = new JsonObject(),
        };
        await File.WriteAllTextAsync(Path.Combine(server.Root, name + ".ipynb"), notebook.ToJsonString());
        var request = new JsonObject { ["path"] = name + ".ipynb", ["kernel"] = kernel };
        return (await server.Rest.PostAsync("/v1/notebooks/run", request.ToJsonString())).Must(201).Json.GetProperty("id").GetString()!;
    }

    /// <summary>Waits until it is as wanted, and shows it as it then is.</summary>
    public async Task<JsonElement> UntilAsync(Func<JsonElement, bool> isWanted, string what)
    {
        JsonElement now = default;
        try
        {
            await Patience.UntilAsync(
                async () =>
                {
                    now = await GetAsync();
                    return isWanted(now);
                },
                what
            );
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message} It is {now}\n{server.Log}");
        }

        return now;
    }

    public Task<JsonElement> UntilStateAsync(string state, int restarts = 0) =>
        UntilAsync(
            k => k.GetProperty("state").GetString() == state && k.GetProperty("restarts").GetInt32() == restarts,
            $"it was {state} with {restarts} restarts"
        );
}
