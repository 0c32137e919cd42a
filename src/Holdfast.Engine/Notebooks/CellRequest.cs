using System.Text.Json.Serialization;

namespace Holdfast.Engine.Notebooks;

/// <summary>What a cell's execution runs, as it was when it was accepted: later edits of the notebook do not change it.</summary>
public sealed record CellRequest(string Source, string? CellId, int Index, bool AllowsError);

/// <summary>The one serializer of stored cell requests.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CellRequest))]
public sealed partial class CellJson : JsonSerializerContext;
