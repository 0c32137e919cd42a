using System.Text.Json;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>The value that an execution of a cascade leaves in its kernel when it succeeds.</summary>
internal static class CellValues
{
    public static CellValue Of(StoreReader reader, Execution execution) => Of(execution, Request(reader, execution));

    public static CellValue Of(Execution execution, CellRequest request) =>
        new(
            new CellId(execution.CellId!),
            execution.AttemptId!.Value,
            execution.Id,
            SourceHash.Of(request.Source),
            request.Inputs ?? Nothing
        );

    public static CellRequest Request(StoreReader reader, Execution execution) =>
        JsonSerializer.Deserialize(ExecutionsTable.ReadRequest(reader, execution.Id), CellJson.Default.CellRequest)!;

    private static readonly Dictionary<string, string> Nothing = [];
}
