using System.Text.Json;
using System.Text.Json.Serialization;

namespace Holdfast.Engine.Jobs;

/// <summary>What a job runs, as given by whoever submitted it and kept for ever with the execution.</summary>
public sealed record JobRequest
{
    /// <summary>The command and its arguments; the first is looked up in the job's own PATH. Required, not empty.</summary>
    public IReadOnlyList<string>? Argv { get; init; }

    /// <summary>Absolute working directory; the server's own when absent.</summary>
    public string? Cwd { get; init; }

    /// <summary>Added to, or in place of, the server's environment.</summary>
    public IReadOnlyDictionary<string, string>? Env { get; init; }

    public string? Name { get; init; }

    /// <summary>Text for the standard input, which then ends. Absent: no input at all.</summary>
    public string? Stdin { get; init; }

    /// <summary>Keep the standard input open, after <see cref="Stdin"/>, for POST .../stdin.</summary>
    public bool OpenStdin { get; init; }

    /// <summary>Seconds until the job is ended as timedOut; none when absent.</summary>
    public double? TimeoutSeconds { get; init; }

    /// <summary>
    /// Run it on a terminal of its own: one stream of output, and an open input that is typed. <see cref="Stdin"/> is typed first, and
    /// followed by Ctrl-D unless <see cref="OpenStdin"/>. TERM is xterm-256color unless the environment given says otherwise.
    /// </summary>
    public bool? Pty { get; init; }

    /// <summary>The terminal's first size; 24 by 80 when absent.</summary>
    public int? Rows { get; init; }

    public int? Columns { get; init; }

    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Names of locks to hold from before its start to its end, all at once.</summary>
    public IReadOnlyList<string>? Locks { get; init; }

    /// <summary>Who is told of the outcome. It is kept apart from the rest, for its secret.</summary>
    public Callbacks.CallbackRequest? Callback { get; init; }

    /// <summary>From the store. Null when it is damaged, which must not keep the job's state from being told.</summary>
    internal static JobRequest? Read(string stored)
    {
        try
        {
            return JsonSerializer.Deserialize(stored, JobJson.Default.JobRequest);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>The one serializer of stored job requests.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(JobRequest))]
public sealed partial class JobJson : JsonSerializerContext;
