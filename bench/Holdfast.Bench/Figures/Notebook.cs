using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Holdfast.Bench.Measure;
using Holdfast.Bench.Peers;
using Holdfast.Bench.Report;
using Holdfast.Bench.Server;

namespace Holdfast.Bench.Figures;

/// <summary>
/// A notebook of fifty trivial cells, by `holdfast run` and by nbclient. Cells: from the start of the first to the end of the last. Total:
/// from the start of the command until it has ended and the file is written; each starts a kernel of its own.
/// </summary>
internal sealed class Notebook : IBench
{
    public string Name => "notebook";
    public string What => "50 trivial cells by holdfast run, every cell durable";

    public void Run(BenchRun run)
    {
        var cells = new Figure("50 cells", "ms", "nbclient", Goal.RatioAtMost(1.0));
        var total = new Figure("the command, from start to end", "ms", "nbclient", Goal.RatioAtMost(1.0));
        var overRest = new Figure("the same over REST, without the CLI", "ms");
        var restCells = new Figure("50 cells, over REST", "ms", "nbclient");
        var serverCpu = new Figure("server CPU per cell", "us");
        string source = Notebooks.Of(
            Enumerable.Range(0, run.Size(50, 5)).Select(i => string.Create(CultureInfo.InvariantCulture, $"x{i} = {i}"))
        );
        using HoldfastServer server = HoldfastServer.Start(run);
        string file = Path.Combine(server.Root, "trivial.ipynb");
        NbclientPeer? peer = NbclientPeer.IfInstalled(run.Sandbox);
        for (int round = run.Options.IsSmoke ? 0 : -1; round < run.Rounds; round++)
        {
            File.WriteAllText(file, source);
            (double Cells, double Total)? other = peer?.Time(file);
            File.WriteAllText(file, source);
            (double ofCells, double ofAll) = ByCommand(run, server, file);
            File.WriteAllText(file, source);
            TimeSpan cpu = ProcessCpu.Of(server.Pid);
            (double restOfCells, double restOfAll) = OverRest(server, file);
            if (round >= 0)
            {
                // The round before the first brings files into the page cache, and compiles.
                serverCpu.Add((ProcessCpu.Of(server.Pid) - cpu).TotalMicroseconds / run.Size(50, 5));
                cells.Add(ofCells, other?.Cells);
                total.Add(ofAll, other?.Total);
                restCells.Add(restOfCells, other?.Cells);
                overRest.Add(restOfAll);
            }
        }

        run.Report.Add(cells, total, restCells, overRest, serverCpu);
    }

    private static (double Cells, double Total) ByCommand(BenchRun run, HoldfastServer server, string file)
    {
        long start = Stopwatch.GetTimestamp();
        string said = run.Sandbox.Run([run.Options.Program, "run", file, "--json"], ("HOLDFAST_DATA", server.DataFolder));
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        return (OfCells(JsonNode.Parse(said)!), elapsed.TotalMilliseconds);
    }

    private static (double Cells, double Total) OverRest(HoldfastServer server, string file)
    {
        using RestConnection connection = server.Connect();
        long start = Stopwatch.GetTimestamp();
        string id = (string)connection.Post("/v1/notebooks/run", new JsonObject { ["path"] = file }.ToJsonString()).Json["id"]!;
        JsonNode ended;
        do
        {
            ended = connection.Get($"/v1/notebooks/runs/{id}?timeoutSeconds=30").Json;
        } while ((string?)ended["state"] == "running");
        return (OfCells(ended), Stopwatch.GetElapsedTime(start).TotalMilliseconds);
    }

    private static double OfCells(JsonNode run)
    {
        JsonArray cells = run["cells"]!.AsArray();
        return (string?)run["state"] == "succeeded"
            ? (Time(cells[^1]!["finishedAt"]!) - Time(cells[0]!["startedAt"]!)).TotalMilliseconds
            : throw new IOException($"The run did not succeed: {run.ToJsonString()}");
    }

    private static DateTimeOffset Time(JsonNode text) => DateTimeOffset.Parse((string)text!, CultureInfo.InvariantCulture);
}
