using System.Text.Json.Nodes;

namespace Holdfast.SystemTests.Clients;

/// <summary>Notebook files as other people's programs read and leave them.</summary>
internal static class Notebooks
{
    public static string Of(string kernel, params string[] sources)
    {
        var cells = new JsonArray();
        foreach (string source in sources)
        {
            cells.Add(
                new JsonObject
                {
                    ["cell_type"] = "code",
                    ["id"] = $"c{cells.Count}",
                    ["metadata"] = new JsonObject(),
                    ["source"] = source,
                    ["outputs"] = new JsonArray(),
                    ["execution_count"] = null,
                }
            );
        }

        return new JsonObject
        {
            ["cells"] = cells,
            ["metadata"] = new JsonObject
            {
                ["kernelspec"] = new JsonObject { ["name"] = kernel, ["display_name"] = kernel },
            },
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
        }.ToJsonString();
    }

    public static JsonArray Cells(string file) => JsonNode.Parse(File.ReadAllText(file))!["cells"]!.AsArray();

    /// <summary>All text of one stream of a cell.</summary>
    public static string Stream(JsonNode cell, string name) =>
        string.Concat(cell["outputs"]!.AsArray().Where(o => (string?)o!["name"] == name).Select(static o => Text(o!["text"]!)));

    /// <summary>The plain text of a cell's result, whichever of the two kinds of output its kernel shows results by.</summary>
    public static string? Result(JsonNode cell) =>
        cell["outputs"]!.AsArray().FirstOrDefault(static o => (string?)o!["output_type"] is "execute_result" or "display_data")
            is { } output
            ? Text(output["data"]!["text/plain"]!)
            : null;

    private static string Text(JsonNode text) =>
        text is JsonArray lines ? string.Concat(lines.Select(static l => (string)l!)) : (string)text!;
}
