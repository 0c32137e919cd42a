using System.Text.Json;
using System.Text.Json.Serialization;

namespace Holdfast.Server.Rest;

/// <summary>POST /v1/notebooks/run.</summary>
public sealed record RunNotebookBody
{
    public string? Path { get; init; }
    public string? Kernel { get; init; }

    /// <summary>Indices or cell ids.</summary>
    public IReadOnlyList<JsonElement>? Cells { get; init; }

    public IReadOnlyDictionary<string, JsonElement>? Parameters { get; init; }

    /// <summary>An index, a cell id, or "failed".</summary>
    public JsonElement? From { get; init; }

    public bool? StopOnError { get; init; }

    /// <summary>Who is told of the run's end.</summary>
    public Engine.Callbacks.CallbackRequest? Callback { get; init; }
}

/// <summary>POST /v1/notebooks/recover.</summary>
public sealed record RecoverNotebookBody(string? Path, bool? DryRun);

/// <summary>POST /v1/notebooks/convert.</summary>
public sealed record ConvertNotebookBody(string? Path, bool? Write, bool? Partial);

/// <summary>POST /v1/notebooks/cascade.</summary>
public sealed record CascadeBody
{
    public string? Path { get; init; }

    /// <summary>Everything that is stale when absent.</summary>
    public string? CellId { get; init; }

    public string? Kernel { get; init; }

    /// <summary>
    /// Goes on with what the latest cascade did not come to: the same as everything stale, and an error when there is nothing.
    /// </summary>
    public bool? Resume { get; init; }
}

/// <summary>PATCH /v1/notebooks/cells.</summary>
public sealed record CellSwitchBody(bool? Disabled);

/// <summary>PUT /v1/notebooks/cells.</summary>
public sealed record RegisterCellBody(string? Path, string? CellId, string? Source, string? BasedOn, int? Index);

/// <summary>PATCH /v1/notebooks.</summary>
public sealed record NotebookModeBody(string? Mode, bool? Autorun);

/// <summary>POST /v1/assets/{sha256}/lease.</summary>
public sealed record RenewLeaseBody(double? Seconds);

/// <summary>POST /v1/assets/prune.</summary>
public sealed record PruneAssetsBody(bool? DryRun, string? Client, IReadOnlyList<string>? References);

/// <summary>POST /v1/kernels.</summary>
public sealed record StartKernelBody
{
    public string? Name { get; init; }
    public string? Cwd { get; init; }
    public IReadOnlyDictionary<string, string>? Env { get; init; }
    public KernelLimitsBody? Limits { get; init; }

    /// <summary>Started again when it dies by itself; true when absent.</summary>
    public bool? AutoRestart { get; init; }
}

/// <summary>What a kernel may use.</summary>
public sealed record KernelLimitsBody
{
    public long? MemoryBytes { get; init; }
    public double? Cpus { get; init; }
}

/// <summary>POST /v1/locks/release.</summary>
public sealed record ReleaseLockBody(string? Name, string? Reason);

/// <summary>POST /v1/callbacks/redrive.</summary>
public sealed record RedriveCallbacksBody(string? State, string? After, bool? DryRun);

/// <summary>POST /v1/stop.</summary>
public sealed record StopBody(bool? WithWork);

/// <summary>
/// POST /v1/recovery/retry, /mark-lost, /quarantine: the name of a phase (retry), or the id of an attempt, an execution or a kernel.
/// </summary>
public sealed record RepairBody(string? Item, string? Reason);

/// <summary>POST /v1/kernels/{id}/input.</summary>
public sealed record AnswerInputBody(string? Value);

/// <summary>POST /v1/executions/{id}/resize.</summary>
public sealed record ResizeBody(int Rows, int Columns);

/// <summary>POST /v1/tokens.</summary>
public sealed record CreateTokenBody(string? Name, IReadOnlyList<string>? Scopes, double? ExpiresInSeconds);

/// <summary>
/// The REST door's request bodies. A field nobody knows is refused: a caller who misspells timeoutSeconds wants to be told.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow
)]
[JsonSerializable(typeof(Engine.Jobs.JobRequest))]
[JsonSerializable(typeof(RunNotebookBody))]
[JsonSerializable(typeof(RecoverNotebookBody))]
[JsonSerializable(typeof(CascadeBody))]
[JsonSerializable(typeof(ConvertNotebookBody))]
[JsonSerializable(typeof(CellSwitchBody))]
[JsonSerializable(typeof(RegisterCellBody))]
[JsonSerializable(typeof(NotebookModeBody))]
[JsonSerializable(typeof(StartKernelBody))]
[JsonSerializable(typeof(RenewLeaseBody))]
[JsonSerializable(typeof(PruneAssetsBody))]
[JsonSerializable(typeof(ReleaseLockBody))]
[JsonSerializable(typeof(RedriveCallbacksBody))]
[JsonSerializable(typeof(RepairBody))]
[JsonSerializable(typeof(CreateTokenBody))]
[JsonSerializable(typeof(StopBody))]
[JsonSerializable(typeof(AnswerInputBody))]
[JsonSerializable(typeof(ResizeBody))]
public sealed partial class RestJson : JsonSerializerContext;
