using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Holdfast.Server.Cli.Graphs;

/// <summary>A notebook's graph as people and drawing programs read it.</summary>
internal static class GraphText
{
    /// <summary>A line for each cell, in the order of the notebook: what it defines, what it takes from whom, whether it is stale, and why it may not run.</summary>
    public static string Plain(JsonElement graph)
    {
        var text = new StringBuilder();
        IReadOnlyList<JsonElement> reasons = graph.Items("reasons");
        _ = text.Append(graph.Text("path")).Append(" (").Append(graph.Text("mode")).Append(graph.Boolean("autorun") == true ? ", autorun)" : ")").Append('\n');
        foreach (JsonElement cell in graph.Items("cells"))
        {
            _ = text.Append(cell.Text("cellId"));
            string definitions = string.Join(", ", Names(cell, "definitions"));
            _ = text.Append(definitions.Length > 0 ? $"  defines {definitions}" : "");
            foreach (string upstream in Names(cell, "upstream"))
            {
                _ = text.Append($"  <- {upstream} ({string.Join(", ", Shared(graph, upstream, cell))})");
            }

            string mark = cell.Text("state") == "disabled" ? "  disabled" : cell.Text("state") == "ok" && cell.Boolean("stale") == true && graph.Text("mode") == "reactive" ? "  stale" : "";
            _ = text.Append(mark).Append('\n');
            foreach (JsonElement place in cell.Items("reasons"))
            {
                _ = text.Append($"    blocked, {reasons[place.GetInt32()].Text("kind")}: {reasons[place.GetInt32()].Text("message")}\n");
            }

            foreach (string culprit in Names(cell, "blockedBy"))
            {
                _ = text.Append($"    needs {culprit}, which may not run\n");
            }
        }

        return text.ToString();
    }

    /// <summary>For Graphviz: `holdfast notebook graph n.ipynb --format dot | dot -Tsvg`.</summary>
    public static string Dot(JsonElement graph)
    {
        var text = new StringBuilder("digraph notebook {\n  node [shape=box];\n");
        foreach (JsonElement cell in graph.Items("cells"))
        {
            string id = cell.Text("cellId")!;
            string color = cell.Text("state") switch { "blocked" => ", color=red", "disabled" => ", color=gray", _ => "" };
            _ = text.Append($"  {Quoted(id)} [label={Quoted(Label(cell, "\n"))}{color}];\n");
            foreach (string upstream in Names(cell, "upstream"))
            {
                _ = text.Append($"  {Quoted(upstream)} -> {Quoted(id)} [label={Quoted(string.Join(", ", Shared(graph, upstream, cell)))}];\n");
            }
        }

        return text.Append("}\n").ToString();
    }

    /// <summary>For Mermaid. Cells are numbered, as its ids may not hold what ours may.</summary>
    public static string Mermaid(JsonElement graph)
    {
        var text = new StringBuilder("graph TD\n");
        Dictionary<string, int> places = graph.Items("cells").Select(static (c, i) => (Id: c.Text("cellId")!, i)).ToDictionary(static c => c.Id, static c => c.i);
        foreach (JsonElement cell in graph.Items("cells"))
        {
            int place = places[cell.Text("cellId")!];
            string mark = cell.Text("state") == "ok" ? "" : $":::{cell.Text("state")}";
            _ = text.Append($"  c{place}[\"{Escaped(Label(cell, "\n"))}\"]{mark}\n");
            foreach (string upstream in Names(cell, "upstream"))
            {
                _ = text.Append($"  c{places[upstream]} -->|\"{Escaped(string.Join(", ", Shared(graph, upstream, cell)))}\"| c{place}\n");
            }
        }

        return text.Append("  classDef blocked stroke:#c00\n  classDef disabled stroke:#999\n").ToString();
    }

    /// <summary>A text in quotation marks, which is shown as HTML: Mermaid writes as codes of its own what would be taken for a tag, a code or the end.</summary>
    private static string Escaped(string text)
    {
        var escaped = new StringBuilder();
        foreach (char c in text)
        {
            _ = c switch
            {
                '\n' => escaped.Append("<br/>"),
                '"' or '<' or '>' or '&' or '#' or '`' or '\\' => escaped.Append(CultureInfo.InvariantCulture, $"#{(int)c};"),
                _ => escaped.Append(c),
            };
        }

        return escaped.ToString();
    }

    public static IEnumerable<string> Names(JsonElement element, string name) => element.Items(name).Select(static n => n.GetString()!);

    private static string Label(JsonElement cell, string lineBreak)
    {
        string definitions = string.Join(", ", Names(cell, "definitions"));
        return definitions.Length == 0 ? cell.Text("cellId")! : $"{cell.Text("cellId")}{lineBreak}{definitions}";
    }

    private static IEnumerable<string> Shared(JsonElement graph, string upstream, JsonElement cell)
    {
        JsonElement source = graph.Items("cells").First(c => c.Text("cellId") == upstream);
        return Names(source, "definitions").Intersect(Names(cell, "references"));
    }

    private static string Quoted(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"";
}
