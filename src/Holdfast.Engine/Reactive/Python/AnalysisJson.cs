using System.Text.Json;

namespace Holdfast.Engine.Reactive.Python;

/// <summary>Reads what the analyser's script answers.</summary>
internal static class AnalysisJson
{
    public static CellAnalysis Read(string line, long id)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        JsonElement root = document.RootElement;
        if (root.GetProperty("id").GetInt64() != id)
        {
            throw new JsonException("The analyser answered another question.");
        }

        if (root.TryGetProperty("error", out JsonElement error))
        {
            return new CellAnalysis
            {
                Error = new AnalysisError(KindOf(error.GetProperty("kind").GetString()), error.GetProperty("message").GetString() ?? "", error.GetProperty("line").GetInt32()),
            };
        }

        return new CellAnalysis
        {
            Definitions = Names(root, "definitions"),
            References = Names(root, "references"),
            Deletions = Names(root, "deletions"),
            Weak = Names(root, "weak"),
            Privates = Names(root, "privates"),
            Imports = root.GetProperty("imports").EnumerateObject().ToDictionary(static p => p.Name, static p => p.Value.GetString()!),
            Mutations = [.. root.GetProperty("mutations").EnumerateArray().Select(static m =>
                new CellMutation(m.GetProperty("name").GetString()!, m.GetProperty("line").GetInt32(), m.GetProperty("hint").GetString()!))],
        };
    }

    private static string[] Names(JsonElement root, string property) => [.. root.GetProperty(property).EnumerateArray().Select(static n => n.GetString()!)];

    private static AnalysisErrorKind KindOf(string? kind) => kind switch
    {
        "syntaxError" => AnalysisErrorKind.SyntaxError,
        "starImport" => AnalysisErrorKind.StarImport,
        _ => AnalysisErrorKind.NotAnalysed,
    };
}
