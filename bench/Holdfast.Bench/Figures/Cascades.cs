using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Holdfast.Bench.Measure;
using Holdfast.Bench.Peers;
using Holdfast.Bench.Report;
using Holdfast.Bench.Server;

namespace Holdfast.Bench.Figures;

/// <summary>
/// A hundred trivial cells, each of which reads the one before: as a cascade, as a run in the order of the notebook, and by nbclient.
/// Cells: from the start of the first to the end of the last; all: from the request until the run is over and its file is written. The
/// kernels of the first two are there already and stay.
/// </summary>
internal sealed class Cascades : IBench
{
    public string Name => "cascades";
    public string What => "100 trivial cells as a cascade of a reactive notebook";

    public void Run(BenchRun run)
    {
        int count = run.Size(100, 5);
        var overRun = new Figure("a cell of a cascade", "ms", "a cell of a run", Goal.RatioAtMost(1.05));
        var overNbclient = new Figure("the cells of a cascade", "ms", "nbclient", Goal.RatioAtMost(1.0));
        var all = new Figure("the cascade, from request to end", "ms", "the run");
        var answer = new Figure("until the plan is durable", "ms");
        var cpu = new Figure("server CPU per cell of a cascade", "us", "of a run");
        using HoldfastServer server = HoldfastServer.Start(run);
        NbclientPeer? peer = NbclientPeer.IfInstalled(run.Sandbox);
        JsonNode linear = JsonNode.Parse(
            Notebooks.Of(
                Enumerable
                    .Range(0, count)
                    .Select(static i => i == 0 ? "x0 = 1" : string.Create(CultureInfo.InvariantCulture, $"x{i} = x{i - 1} + 1"))
            )
        )!;
        JsonNode reactive = linear.DeepClone();
        reactive["metadata"]!["holdfast"] = new JsonObject { ["mode"] = "reactive" };
        string cascades = Write(server, "cascade.ipynb", reactive),
            runs = Write(server, "run.ipynb", linear),
            plain = Write(server, "plain.ipynb", linear);
        using RestConnection connection = server.Connect();
        string kernel = (string)connection.Post("/v1/kernels", """{"name":"python3"}""").Json["id"]!;
        for (int round = run.Options.IsSmoke ? 0 : -2; round < run.Rounds; round++)
        {
            // A kernel that starts anew makes everything stale, and both begin alike.
            if (round > -2 && !run.Options.IsSmoke)
            {
                _ = connection.Post($"/v1/kernels/{kernel}/restart", "{}").Json;
            }

            double? other = peer?.Time(plain).Cells;
            (double cells, double total, double cpuOfCell, _) = Time(
                server,
                connection,
                "/v1/notebooks/run",
                new JsonObject { ["path"] = runs, ["kernel"] = kernel },
                count
            );
            _ = connection.Post($"/v1/kernels/{kernel}/restart", "{}").Json;
            (double cascade, double whole, double cpuOfCascade, double planned) = Time(
                server,
                connection,
                "/v1/notebooks/cascade",
                new JsonObject { ["path"] = cascades, ["kernel"] = kernel },
                count
            );
            if (round >= 0)
            {
                overRun.Add(cascade / count, cells / count);
                overNbclient.Add(cascade, other);
                all.Add(whole, total);
                answer.Add(planned);
                cpu.Add(cpuOfCascade, cpuOfCell);
            }
        }

        run.Report.Add(overRun, overNbclient, all, answer, cpu);
    }

    private static (double Cells, double Total, double CpuOfCell, double Answer) Time(
        HoldfastServer server,
        RestConnection connection,
        string route,
        JsonObject body,
        int count
    )
    {
        TimeSpan cpu = ProcessCpu.Of(server.Pid);
        long start = Stopwatch.GetTimestamp();
        string id = (string)connection.Post(route, body.ToJsonString()).Json["id"]!;
        double answer = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        JsonNode ended;
        do
        {
            ended = connection.Get($"/v1/notebooks/runs/{id}?timeoutSeconds=30").Json;
        } while ((string?)ended["state"] == "running");
        double total = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        JsonArray cells = ended["cells"]!.AsArray();
        return (string?)ended["state"] == "succeeded" && cells.Count == count
            ? (
                (At(cells[^1]!["finishedAt"]!) - At(cells[0]!["startedAt"]!)).TotalMilliseconds,
                total,
                (ProcessCpu.Of(server.Pid) - cpu).TotalMicroseconds / count,
                answer
            )
            : throw new IOException($"It did not succeed: {ended.ToJsonString()}");
    }

    private static string Write(HoldfastServer server, string name, JsonNode notebook)
    {
        string path = Path.Combine(server.Root, name);
        File.WriteAllText(path, notebook.ToJsonString());
        return path;
    }

    private static DateTimeOffset At(JsonNode text) => DateTimeOffset.Parse((string)text!, CultureInfo.InvariantCulture);
}
