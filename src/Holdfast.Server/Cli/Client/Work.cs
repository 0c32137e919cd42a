using System.Globalization;
using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Client;

/// <summary>What an id on the command line names: an execution, or a notebook run, which is made of executions.</summary>
internal sealed record Work(string Id, bool IsRun, JsonElement Answer)
{
    /// <summary>The server lets go of a waiting request before anything between us thinks it dead.</summary>
    private const int PollSeconds = 50;

    public bool HasEnded => Answer.HasEnded();

    public int ExitCode => IsRun ? ExitCodes.OfRun(Answer.Text("state")) : ExitCodes.Of(Answer);

    public static async Task<Work> GetAsync(HoldfastClient client, string id, CancellationToken cancellationToken)
    {
        string path = Segment(id);
        try
        {
            return new Work(id, false, await client.GetAsync($"v1/executions/{path}", cancellationToken).ConfigureAwait(false));
        }
        catch (RefusedException refusal) when (refusal.Code == ErrorCodes.ExecutionNotFound)
        {
            try
            {
                return new Work(id, true, await client.GetAsync($"v1/notebooks/runs/{path}", cancellationToken).ConfigureAwait(false));
            }
            catch (RefusedException second) when (second.Code is ErrorCodes.RunNotFound or ErrorCodes.RouteNotFound)
            {
                throw refusal;
            }
        }
    }

    /// <summary>Returns it as it ended; waits for ever.</summary>
    public async Task<Work> WaitAsync(HoldfastClient client, CancellationToken cancellationToken)
    {
        Work work = this;
        while (!work.HasEnded)
        {
            string resource = IsRun ? "notebooks/runs" : "executions";
            string path = string.Create(
                CultureInfo.InvariantCulture,
                $"v1/{resource}/{Segment(Id)}{(IsRun ? "" : "/wait")}?timeoutSeconds={PollSeconds}"
            );
            work = work with
            {
                Answer = await client
                    .SendAsync(ApiRequest.Get(path) with { ServerTime = TimeSpan.FromSeconds(PollSeconds) }, cancellationToken)
                    .ConfigureAwait(false),
            };
        }

        return work;
    }

    /// <summary>
    /// An id as a part of a path. What could be no id never reaches the server, which could only say that it knows no such route.
    /// </summary>
    public static string Segment(string id) =>
        id.Length > 0 && !id.Contains('/', StringComparison.Ordinal)
            ? Uri.EscapeDataString(id)
            : throw new UsageException($"'{id}' is not an id.");
}
