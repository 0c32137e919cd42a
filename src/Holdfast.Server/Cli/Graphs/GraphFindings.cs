using System.Globalization;
using System.Text.Json;

namespace Holdfast.Server.Cli.Graphs;

/// <summary>What `holdfast notebook check` finds in a notebook: errors, which keep cells from running, and notes, which do not.</summary>
internal static class GraphFindings
{
    /// <summary>Of the cells that one reason blocks so many are named; the graph has them all.</summary>
    private const int ListedMax = 30;

    /// <summary>Each reason once, though it may block many cells; then texts that cannot be read.</summary>
    public static List<string> Errors(JsonElement graph)
    {
        IReadOnlyList<JsonElement> reasons = graph.Items("reasons");
        var blocked = new List<string>[reasons.Count];
        foreach (JsonElement cell in graph.Items("cells"))
        {
            foreach (JsonElement place in cell.Items("reasons"))
            {
                (blocked[place.GetInt32()] ??= []).Add(cell.Text("cellId")!);
            }
        }

        // By what is said: of two writers each has a reason of its own, in the same words.
        var cells = new OrderedDictionary<string, List<string>>();
        for (int place = 0; place < reasons.Count; place++)
        {
            string said = $"{reasons[place].Text("kind")}: {reasons[place].Text("message")}";
            cells.TryAdd(said, []);
            cells[said].AddRange(blocked[place] ?? []);
        }

        return [.. cells.Select(static c => $"{Listed(c.Value)}: {c.Key}")];
    }

    private static string Listed(List<string> cells) =>
        string.Join(", ", cells.Take(ListedMax))
        + (cells.Count > ListedMax ? string.Create(CultureInfo.InvariantCulture, $" and {cells.Count - ListedMax} more") : "");

    public static List<string> Notes(JsonElement graph)
    {
        var notes = new List<string>();
        HashSet<string> used = [.. graph.Items("cells").SelectMany(static c => GraphText.Names(c, "references"))];
        HashSet<string> defined = [.. graph.Items("cells").SelectMany(static c => GraphText.Names(c, "definitions"))];
        foreach (JsonElement cell in graph.Items("cells"))
        {
            string id = cell.Text("cellId")!;
            HashSet<string> own = [.. GraphText.Names(cell, "definitions")];
            Add(notes, id, "defines what no cell reads", own.Where(n => !used.Contains(n)));
            Add(notes, id, "reads what no cell defines", GraphText.Names(cell, "references").Where(n => !defined.Contains(n)));
            Add(notes, id, "reads its own value of an earlier run", GraphText.Names(cell, "references").Where(own.Contains));
            notes.AddRange(
                cell.Items("mutations")
                    .Select(m => m.Integer("line") is > 0 and var line ? $"{id}:{line}: {m.Text("hint")}" : $"{id}: {m.Text("hint")}")
            );
        }

        return notes;
    }

    private static void Add(List<string> notes, string cell, string what, IEnumerable<string> names)
    {
        string all = string.Join(", ", names);
        if (all.Length > 0)
        {
            notes.Add($"{cell}: {what}: {all}");
        }
    }
}
