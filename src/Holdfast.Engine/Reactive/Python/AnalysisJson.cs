using System.Text.Json;
using Holdfast.Engine.Reactive.Conversion;

namespace Holdfast.Engine.Reactive.Python;

/// <summary>Reads what the analyser's script answers.</summary>
internal static class AnalysisJson
{
    public static CellAnalysis Read(JsonElement root)
    {
        if (root.TryGetProperty("error", out JsonElement error))
        {
            return new CellAnalysis
            {
                Error = new AnalysisError(
                    KindOf(error.GetProperty("kind").GetString()),
                    error.GetProperty("message").GetString() ?? "",
                    error.GetProperty("line").GetInt32()
                ),
            };
        }

        return new CellAnalysis
        {
            Definitions = Names(root, "definitions"),
            References = Names(root, "references"),
            Deletions = Names(root, "deletions"),
            Weak = Names(root, "weak"),
            Privates = Names(root, "privates"),
            WrittenPrivates = Names(root, "written"),
            KeptPrivates = Names(root, "kept"),
            PassingPrivates = Names(root, "passing"),
            Imports = root.GetProperty("imports").EnumerateObject().ToDictionary(static p => p.Name, static p => p.Value.GetString()!),
            Mutations =
            [
                .. root.GetProperty("mutations")
                    .EnumerateArray()
                    .Select(static m => new CellMutation(
                        m.GetProperty("name").GetString()!,
                        m.GetProperty("line").GetInt32(),
                        m.GetProperty("hint").GetString()!
                    )),
            ],
        };
    }

    /// <summary>Null where the text could not be read.</summary>
    public static CellBindings? ReadBindings(JsonElement root)
    {
        if (!root.TryGetProperty("bindings", out JsonElement bindings) || bindings.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return new CellBindings
        {
            Uses =
            [
                .. bindings
                    .GetProperty("uses")
                    .EnumerateArray()
                    .Select(static u => new NameUse(
                        u[0].GetString()!,
                        u[1].GetInt32(),
                        u[2].GetInt32(),
                        UseKindOf(u[3].GetString()),
                        UseValueOf(u[4].GetString())
                    )),
            ],
            Fixed = bindings.GetProperty("fixed").EnumerateObject().ToDictionary(static p => p.Name, static p => p.Value.GetString()!),
            Ends = bindings
                .GetProperty("ends")
                .EnumerateObject()
                .ToDictionary(static p => p.Name, static p => p.Value.GetString() == "must"),
            Words = Names(bindings, "words").ToHashSet(StringComparer.Ordinal),
            Immutable = Names(bindings, "constant").ToHashSet(StringComparer.Ordinal),
            Opaque = bindings.GetProperty("opaque").GetString(),
        };
    }

    private static UseKind UseKindOf(string? kind) =>
        kind switch
        {
            "read" => UseKind.Read,
            "write" => UseKind.Write,
            "loop" => UseKind.Loop,
            _ => UseKind.Augment,
        };

    private static UseValue UseValueOf(string? value) =>
        value switch
        {
            "new" => UseValue.Own,
            "old" => UseValue.Earlier,
            "both" => UseValue.Either,
            _ => UseValue.WhenCalled,
        };

    private static string[] Names(JsonElement root, string property) =>
        [.. root.GetProperty(property).EnumerateArray().Select(static n => n.GetString()!)];

    private static AnalysisErrorKind KindOf(string? kind) =>
        kind switch
        {
            "syntaxError" => AnalysisErrorKind.SyntaxError,
            "starImport" => AnalysisErrorKind.StarImport,
            _ => AnalysisErrorKind.NotAnalysed,
        };
}
