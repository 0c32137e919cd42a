using System.Text.Json.Serialization;

namespace Holdfast.Engine.Notebooks;

/// <summary>What a cell's execution runs, as it was when it was accepted: later edits of the notebook do not change it.</summary>
public sealed record CellRequest(string Source, string? CellId, int Index, bool AllowsError)
{
    /// <summary>
    /// Of a cascade: the executions that must have ended well before this one may run. Null for a run in the order of the notebook.
    /// </summary>
    public IReadOnlyList<string>? After { get; init; }

    /// <summary>Of a cascade: each cell upstream and the execution whose values this one is going to read.</summary>
    public IReadOnlyDictionary<string, string>? Inputs { get; init; }

    /// <summary>
    /// Of a cascade: the names that it makes in its kernel; and those that are imports, which other cells may make just so.
    /// </summary>
    public IReadOnlyList<string>? Names { get; init; }

    public IReadOnlyList<string>? Imports { get; init; }

    /// <summary>Of a cascade: the names with an underscore that it makes in its kernel.</summary>
    public IReadOnlyList<string>? Privates { get; init; }

    /// <summary>Of a cascade: an expression that the kernel evaluates when the cell has succeeded.</summary>
    public string? Afterwards { get; init; }

    /// <summary>Of a cascade: what is sent to the kernel, where that is not the source: SQL, which is run by code of ours.</summary>
    public string? Code { get; init; }
}

/// <summary>The one serializer of stored cell requests.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(CellRequest))]
public sealed partial class CellJson : JsonSerializerContext;
