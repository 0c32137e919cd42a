using System.Text.Json;

namespace Holdfast.Engine.Kernels;

/// <summary>Reads the code out of a cell's stored request: a run's has it as <c>source</c>, a client's as <c>code</c>.</summary>
internal static class CellCode
{
    /// <summary>Null for code that was too long to be stored; the journal has it.</summary>
    public static string? Read(string request)
    {
        using JsonDocument document = JsonDocument.Parse(request);
        return document.RootElement.TryGetProperty("code", out JsonElement code) || document.RootElement.TryGetProperty("source", out code) ? code.GetString() : null;
    }
}
