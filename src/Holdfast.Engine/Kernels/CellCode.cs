using System.Text.Json;

namespace Holdfast.Engine.Kernels;

/// <summary>Reads the code out of a cell's stored request: a run's has it as <c>source</c>, a client's as <c>code</c>.</summary>
internal static class CellCode
{
    private const int FirstLineLengthMax = 200;

    /// <summary>Null for code that was too long to be stored; the journal has it.</summary>
    public static string? Read(string request)
    {
        using JsonDocument document = JsonDocument.Parse(request);
        return document.RootElement.TryGetProperty("code", out JsonElement code) || document.RootElement.TryGetProperty("source", out code)
            ? code.GetString()
            : null;
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
