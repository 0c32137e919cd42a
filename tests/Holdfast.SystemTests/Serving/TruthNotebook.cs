using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Holdfast.SystemTests.Serving;

/// <summary>A notebook whose cells tell the truth file when they start and end, and print lines that are known beforehand.</summary>
internal sealed class TruthNotebook
{
    private readonly int _lines;

    public TruthNotebook(
        TestServer server,
        TruthFile truth,
        string name,
        int cells,
        int lines,
        double pauseSeconds = 0.01,
        string? gate = null
    )
    {
        (Name, Cells, _lines) = (name, cells, lines);
        var written = new JsonArray();
        for (int cell = 0; cell < cells; cell++)
        {
            written.Add(
                Cell(
                    cell,
                    $$"""
                    import os, time
                    def tell(word):
                        with open('{{truth.Path}}', 'a') as truth:
                            truth.write(f"{os.environ['HOLDFAST_ATTEMPT'].split(':')[0]} {{name}} {word}\n")
                    tell('start-{{cell}}')
                    while {{(gate is null ? "False" : $"not os.path.exists('{gate}')")}}: time.sleep(0.05)
                    for line in range({{lines}}):
                        print('{{name}} cell {{cell}} line', line)
                        time.sleep({{pauseSeconds.ToString(CultureInfo.InvariantCulture)}})
                    tell('end-{{cell}}')
                    """
                )
            );
        }

        var notebook = new JsonObject
        {
            ["cells"] = written,
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
            ["metadata"] = new JsonObject
            {
                ["kernelspec"] = new JsonObject
                {
                    ["name"] = "python3",
                    ["display_name"] = "Python 3",
                    ["language"] = "python",
                },
            },
        };
        FullPath = System.IO.Path.Combine(server.Root, name + ".ipynb");
        File.WriteAllText(FullPath, notebook.ToJsonString() + "\n");
    }

    public string Name { get; }
    public int Cells { get; }
    public string FullPath { get; }
    public string Request => new JsonObject { ["path"] = Name + ".ipynb" }.ToJsonString();

    /// <summary>What a cell prints, when it runs to its end.</summary>
    public string OutputOf(int cell) =>
        string.Concat(
            Enumerable.Range(0, _lines).Select(line => string.Create(CultureInfo.InvariantCulture, $"{Name} cell {cell} line {line}\n"))
        );

    /// <summary>The text of each cell's stream outputs, as the file has it.</summary>
    public List<string> SavedOutputs()
    {
        using var notebook = JsonDocument.Parse(File.ReadAllBytes(FullPath));
        return
        [
            .. notebook
                .RootElement.GetProperty("cells")
                .EnumerateArray()
                .Select(static cell =>
                    string.Concat(
                        cell.GetProperty("outputs")
                            .EnumerateArray()
                            .Where(static o => o.GetProperty("output_type").GetString() == "stream")
                            .Select(static o => Text(o.GetProperty("text")))
                    )
                ),
        ];
    }

    private static string Text(JsonElement text) =>
        text.ValueKind == JsonValueKind.Array
            ? string.Concat(text.EnumerateArray().Select(static line => line.GetString()))
            : text.GetString()!;

    private static JsonObject Cell(int index, string source) =>
        new()
        {
            ["cell_type"] = "code",
            ["id"] = string.Create(CultureInfo.InvariantCulture, $"cell-{index}"),
            ["metadata"] = new JsonObject(),
            ["execution_count"] = null,
            ["outputs"] = new JsonArray(),
            ["source"] = source,
        };
}
