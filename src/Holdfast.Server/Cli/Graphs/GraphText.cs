using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Holdfast.Server.Cli.Graphs;

/// <summary>A notebook's graph as people and drawing programs read it.</summary>
internal static class GraphText
{
    /// <summary>
    /// A line for each cell, in the order of the notebook: what it defines, what it takes from whom, whether it is stale, and why it may
    /// not run.
    /// </summary>
    public static string Plain(JsonElement graph)
    {
        var text = new StringBuilder();
        IReadOnlyList<JsonElement> reasons = graph.Items("reasons");
        Dictionary<string, string[]> made = Definitions(graph);
        _ = text.Append(graph.Text("path"))
            .Append(" (")
            .Append(graph.Text("mode"))
            .Append(graph.Boolean("autorun") == true ? ", autorun)" : ")")
            .Append('\n');
        foreach (JsonElement cell in graph.Items("cells"))
        {
            _ = text.Append(cell.Text("cellId"));
            string definitions = string.Join(", ", Names(cell, "definitions"));
            _ = text.Append(definitions.Length > 0 ? $"  defines {definitions}" : "");
            foreach (string upstream in Names(cell, "upstream"))
            {
                string taken = Taken(made, upstream, cell);
                _ = text.Append($"  <- {upstream}{(taken.Length > 0 ? $" ({taken})" : "")}");
            }

            string mark =
                cell.Text("state") == "disabled" ? "  disabled"
                : cell.Text("state") == "ok" && cell.Boolean("stale") == true && graph.Text("mode") == "reactive" ? "  stale"
                : "";
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
        Dictionary<string, string[]> made = Definitions(graph);
        foreach (JsonElement cell in graph.Items("cells"))
        {
            string id = cell.Text("cellId")!;
            string color = cell.Text("state") switch
            {
                "blocked" => ", color=red",
                "disabled" => ", color=gray",
                _ => "",
            };
            _ = text.Append($"  {Quoted(id)} [label={Quoted(Label(cell, "\n"))}{color}];\n");
            foreach (string upstream in Names(cell, "upstream"))
            {
                _ = text.Append($"  {Quoted(upstream)} -> {Quoted(id)} [label={Quoted(Taken(made, upstream, cell))}];\n");
            }
        }

        return text.Append("}\n").ToString();
    }

    /// <summary>For Mermaid. Cells are numbered, as its ids may not hold what ours may.</summary>
    public static string Mermaid(JsonElement graph)
    {
        var text = new StringBuilder("graph TD\n");
        Dictionary<string, string[]> made = Definitions(graph);
        Dictionary<string, int> places = graph
            .Items("cells")
            .Select(static (c, i) => (Id: c.Text("cellId")!, i))
            .ToDictionary(static c => c.Id, static c => c.i);
        foreach (JsonElement cell in graph.Items("cells"))
        {
            int place = places[cell.Text("cellId")!];
            string mark = cell.Text("state") == "ok" ? "" : $":::{cell.Text("state")}";
            _ = text.Append($"  c{place}[\"{Escaped(Label(cell, "\n"))}\"]{mark}\n");
            foreach (string upstream in Names(cell, "upstream"))
            {
                string taken = Taken(made, upstream, cell);
                _ = text.Append($"  c{places[upstream]} -->{(taken.Length > 0 ? $"|\"{Escaped(taken)}\"|" : "")} c{place}\n");
            }
        }

        return text.Append("  classDef blocked stroke:#c00\n  classDef disabled stroke:#999\n").ToString();
    }

    /// <summary>
    /// A text in quotation marks, which is shown as HTML: Mermaid writes as codes of its own what would be taken for a tag, a code or the
    /// end.
    /// </summary>
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

    /// <summary>By cell, so that an edge costs its own names and no search: there may be thirty thousand.</summary>
    private static Dictionary<string, string[]> Definitions(JsonElement graph) =>
        graph.Items("cells").ToDictionary(static c => c.Text("cellId")!, static c => Names(c, "definitions").ToArray());

    /// <summary>
    /// The names a cell takes from another; none where only texts of before connect them, of which at least one is blocked by now.
    /// </summary>
    private static string Taken(Dictionary<string, string[]> made, string upstream, JsonElement cell) =>
        string.Join(", ", made[upstream].Intersect(Names(cell, "references")));

    private static string Quoted(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"";
}
