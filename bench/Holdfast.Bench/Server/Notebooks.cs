using System.Text.Json.Nodes;

namespace Holdfast.Bench.Server;

/// <summary>Notebooks made of code alone.</summary>
internal static class Notebooks
{
    public static string Of(IEnumerable<string> sources)
    {
        var cells = new JsonArray();
        foreach (string source in sources)
        {
            cells.Add(
                (JsonNode)
                    new JsonObject
                    {
                        ["cell_type"] = "code",
                        ["execution_count"] = null,
                        ["id"] = $"cell-{cells.Count}",
                        ["metadata"] = new JsonObject(),
                        ["outputs"] = new JsonArray(),
                        ["source"] = source,
                    }
            );
        }

        var kernel = new JsonObject
        {
            ["display_name"] = "Python 3 (ipykernel)",
            ["language"] = "python",
            ["name"] = "python3",
        };
        return new JsonObject
        {
            ["cells"] = cells,
            ["metadata"] = new JsonObject { ["kernelspec"] = kernel },
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
        }.ToJsonString();
    }
}
