using System.Text.Json;

namespace Holdfast.SystemTests.Serving;

/// <summary>Starts notebook runs as somebody does who may lose the server at any moment.</summary>
internal static class RunClient
{
    /// <summary>Starts the one run of a notebook, however often it is asked: the notebook's name is the key. The run's id.</summary>
    public static async Task<string> RunOnceAsync(this RestClient rest, TruthNotebook notebook)
    {
        RestReply reply = await rest.PostAsync("/v1/notebooks/run", notebook.Request, notebook.Name);
        return reply.Must(reply.Status == 200 ? 200 : 201).Json.GetProperty("id").GetString()!;
    }

    /// <summary>The run, as it is when it is over or the server has waited for long.</summary>
    public static async Task<JsonElement> WaitForRunAsync(this RestClient rest, string id) =>
        (await rest.GetAsync($"/v1/notebooks/runs/{id}?timeoutSeconds=30")).Must(200).Json;
}
