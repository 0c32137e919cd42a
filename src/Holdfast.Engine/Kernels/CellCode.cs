using System.Text.Json;

namespace Holdfast.Engine.Kernels;

/// <summary>Reads the code out of a cell's stored request: a run's has it as <c>source</c>, a client's as <c>code</c>.</summary>
internal static class CellCode
{
    private const int FirstLineLengthMax = 200;

    /// <summary>
    /// Null for code that was too long to be stored, which the journal has; and for a request that is damaged, which must not keep the
    /// cell's state from being told.
    /// </summary>
    public static string? Read(string request)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(request);
            return
                document.RootElement is { ValueKind: JsonValueKind.Object } root
                && (root.TryGetProperty("code", out JsonElement code) || root.TryGetProperty("source", out code))
                && code.ValueKind == JsonValueKind.String
                ? code.GetString()
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>
    /// What people know a cell by: the first line of its code with anything in it, as far as a list has room; null without any.
    /// </summary>
    public static string? FirstLine(string? code)
    {
        ReadOnlySpan<char> rest = code.AsSpan().TrimStart();
        int end = rest.IndexOfAny('\r', '\n');
        rest = (end < 0 ? rest : rest[..end]).TrimEnd();
        if (rest.Length > FirstLineLengthMax)
        {
            rest = rest[..(char.IsHighSurrogate(rest[FirstLineLengthMax - 1]) ? FirstLineLengthMax - 1 : FirstLineLengthMax)];
        }

        return rest.IsEmpty ? null : rest.ToString();
    }
}
