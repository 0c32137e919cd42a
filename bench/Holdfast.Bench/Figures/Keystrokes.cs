using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Holdfast.Bench.Measure;
using Holdfast.Bench.Report;
using Holdfast.Bench.Server;

namespace Holdfast.Bench.Figures;

/// <summary>
/// From an edit of a reactive notebook's cell to its durable verdict at the client. Each cell reads three of the two hundred before it;
/// edits are of cells anywhere in the last hundred, each another text, so that each is analysed.
/// </summary>
internal sealed class Keystrokes : IBench
{
    private const int Reads = 3;
    private const int Near = 200;

    public string Name => "keystrokes";
    public string What => "an edit of a reactive notebook, until its verdict";

    public void Run(BenchRun run)
    {
        using HoldfastServer server = HoldfastServer.Start(run);
        using RestConnection connection = server.Connect();
        foreach ((int cells, double goal) in new[] { (100, 3.0), (1000, 5.0), (10_000, 15.0) })
        {
            string size = cells.ToString("N0", CultureInfo.InvariantCulture);
            var verdict = new Figure($"{size} cells, p50", "ms", "fdatasync", Goal.AtMost(goal));
            var tail = new Figure($"{size} cells, p99", "ms", "fdatasync p99");
            int count = run.Size(cells, Math.Min(cells, 100));
            string path = Write(server.Root, count);
            _ = connection.Get($"/v1/notebooks/graph?path={path}").Json;
            int edit = 0;
            for (int round = 0; round < run.Rounds; round++)
            {
                Percentiles floor = SyncFloor.InPlace(run.Sandbox.Folder, run.Size(500, 50));
                var times = new List<TimeSpan>();
                for (int i = 0; i < run.Size(300, 20); i++)
                {
                    int cell = count - 1 - (edit % Math.Min(count - 1, 100));
                    byte[] request = connection.Request(
                        "PUT",
                        "/v1/notebooks/cells",
                        Body(path, cell, $"v{cell} = {++edit} + {Sources(cell, edit)}")
                    );
                    long start = Stopwatch.GetTimestamp();
                    Answer answer = connection.Exchange(request);
                    times.Add(Stopwatch.GetElapsedTime(start));
                    _ = answer.Json; // Which fails unless it is a verdict.
                }

                var percentiles = new Percentiles(times);
                verdict.Add(percentiles.Median, floor.Median);
                tail.Add(percentiles.At(0.99), floor.At(0.99));
            }

            run.Report.Add(verdict, tail);
        }
    }

    private static string Write(string root, int count)
    {
        string name = $"keystrokes-{count}.ipynb";
        JsonNode notebook = JsonNode.Parse(Notebooks.Of(Enumerable.Range(0, count).Select(i => $"v{i} = 1 + {Sources(i, i)}")))!;
        notebook["metadata"]!["holdfast"] = new JsonObject { ["mode"] = "reactive" };
        File.WriteAllText(Path.Combine(root, name), notebook.ToJsonString());
        return name;
    }

    private static string Sources(int cell, int seed) =>
        cell == 0
            ? "0"
            : string.Join(" + ", Enumerable.Range(1, Reads).Select(i => $"v{cell - 1 - ((seed * 31 * i) % Math.Min(cell, Near))}"));

    private static string Body(string path, int cell, string source) =>
        new JsonObject
        {
            ["path"] = path,
            ["cellId"] = $"cell-{cell}",
            ["source"] = source,
        }.ToJsonString();
}
