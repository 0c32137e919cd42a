using System.Text.Json;

namespace Holdfast.Server.Cli.Graphs;

/// <summary>What `holdfast notebook check` finds in a notebook: errors, which keep cells from running, and notes, which do not.</summary>
internal static class GraphFindings
{
    /// <summary>Each reason once, though it may block many cells; then texts that cannot be read.</summary>
    public static List<string> Errors(JsonElement graph)
    {
        IReadOnlyList<JsonElement> reasons = graph.Items("reasons");
        var cells = new OrderedDictionary<string, List<string>>(); // By what is said: of two writers each has a reason of its own, in the same words.
        for (int place = 0; place < reasons.Count; place++)
        {
            string said = $"{reasons[place].Text("kind")}: {reasons[place].Text("message")}";
            IEnumerable<string> of = graph.Items("cells").Where(c => c.Items("reasons").Any(r => r.GetInt32() == place)).Select(static c => c.Text("cellId")!);
            cells[said] = [.. cells.GetValueOrDefault(said, []), .. of];
        }

        return [.. cells.Select(static c => $"{string.Join(", ", c.Value)}: {c.Key}")];
    }

    public static List<string> Notes(JsonElement graph)
    {
        var notes = new List<string>();
        HashSet<string> used = [.. graph.Items("cells").SelectMany(static c => GraphText.Names(c, "references"))];
        HashSet<string> defined = [.. graph.Items("cells").SelectMany(static c => GraphText.Names(c, "definitions"))];
        foreach (JsonElement cell in graph.Items("cells"))
        {
            string id = cell.Text("cellId")!;
            HashSet<string> own = [.. GraphText.Names(cell, "definitions")];
            Add(notes, id, "defines what no cell reads", own.Except(used));
            Add(notes, id, "reads what no cell defines", GraphText.Names(cell, "references").Except(defined));
            Add(notes, id, "reads its own value of an earlier run", GraphText.Names(cell, "references").Where(own.Contains));
            notes.AddRange(cell.Items("mutations").Select(m => $"{id}:{m.Integer("line")}: {m.Text("hint")}"));
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
