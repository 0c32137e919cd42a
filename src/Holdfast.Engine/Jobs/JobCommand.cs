using System.Text.Json;

namespace Holdfast.Engine.Jobs;

/// <summary>Reads what a job runs out of its stored request.</summary>
internal static class JobCommand
{
    /// <summary>Null when the request is damaged, which must not keep the job's state from being told.</summary>
    public static IReadOnlyList<string>? Read(string request)
    {
        try
        {
            return JsonSerializer.Deserialize(request, JobJson.Default.JobRequest)?.Argv;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
