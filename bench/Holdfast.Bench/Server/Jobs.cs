using System.Globalization;
using System.Text.Json.Nodes;

namespace Holdfast.Bench.Server;

/// <summary>Jobs over REST, as a script would have them.</summary>
internal static class Jobs
{
    public const string True = """{"argv":["true"]}""";
    public const string Sleep = """{"argv":["sleep","100000"]}""";

    public static string Submit(this RestConnection connection, string body) => (string)connection.Post("/v1/jobs", body).Json["id"]!;

    /// <summary>Waits for the outcome, and holds it to be a good one.</summary>
    public static JsonNode WaitSucceeded(this RestConnection connection, string id)
    {
        while (true)
        {
            Answer answer = connection.Get($"/v1/executions/{id}/wait?timeoutSeconds=30");
            if (answer.Status == 200)
            {
                JsonNode execution = answer.Json;
                return (string?)execution["state"] == "succeeded"
                    ? execution
                    : throw new IOException($"A job did not succeed: {execution.ToJsonString()}");
            }
        }
    }

    /// <summary>Whether as many executions, and no fewer, are in a state.</summary>
    public static bool AreInState(this HoldfastServer server, string state, int count)
    {
        using RestConnection connection = server.Connect();
        string path = string.Create(CultureInfo.InvariantCulture, $"/v1/executions?state={state}&limit={count}");
        return connection.Get(path).Json["executions"]!.AsArray().Count == count;
    }

    /// <summary>Takes every slot, so that what is submitted next stays queued.</summary>
    public static void FillSlots(this HoldfastServer server, int slots)
    {
        using RestConnection connection = server.Connect();
        for (int i = 0; i < slots; i++)
        {
            _ = connection.Submit(Sleep);
        }

        server.WaitFor(() => server.AreInState("running", slots), everyMs: 20);
    }
}
