using System.Diagnostics;
using System.Globalization;
using Holdfast.Bench.Measure;
using Holdfast.Bench.Report;
using Holdfast.Engine.Reactive;

namespace Holdfast.Bench.Figures;

/// <summary>
/// The graph of names by itself, in this process: no analysis, no store. Each cell reads three of the two hundred before it; an edit gives
/// any cell of the notebook three other ones to read. Update: check and change of the graph. Registered: with the verdicts on all cells,
/// and with who is stale for it. Plan: of one cell with all that needs it, and of the whole notebook. Refused: the same while a cell of the
/// middle is in a circle with one of those that read it.
/// </summary>
internal sealed class ReactiveGraph : IBench
{
    private const int Reads = 3;
    private const int Near = 200;

    public string Name => "graph";
    public string What => "the graph of a reactive notebook by itself: an edit, a plan";

    public void Run(BenchRun run)
    {
        foreach ((int cells, bool hasGoal) in new[] { (1000, false), (10_000, true), (100_000, false) })
        {
            Measure(run, run.Size(cells, Math.Min(cells, 300)), cells, hasGoal);
        }
    }

    private static void Measure(BenchRun run, int count, int cells, bool hasGoal)
    {
        string size = string.Create(CultureInfo.InvariantCulture, $"{cells:N0} cells / {cells * Reads:N0} edges");
        var update = new Figure($"{size}: update, p50", "ms", goal: hasGoal ? Goal.AtMost(1) : null);
        var updateTail = new Figure($"{size}: update, p99", "ms");
        var registered = new Figure($"{size}: registered, p50", "ms");
        var plan = new Figure($"{size}: plan of a cell, p50", "ms", goal: hasGoal ? Goal.AtMost(5) : null);
        var planAll = new Figure($"{size}: plan of all", "ms", goal: hasGoal ? Goal.AtMost(5) : null);
        var refused = new Figure($"{size}: registered while a cell is refused, p50", "ms");
        var planRefused = new Figure($"{size}: plan of all while a cell is refused", "ms", goal: hasGoal ? Goal.AtMost(5) : null);
        var random = new Random(1);
        CellRegistry registry = CellRegistry.Load([
            .. Enumerable
                .Range(0, count)
                .Select(i => new LoadedCell(Cell(i), Analysis(i, random), CellRegistration.Of(Analysis(i, random)))),
        ]);
        HashSet<CellId> all = [.. registry.Cells];
        for (int round = -1; round < run.Rounds; round++)
        {
            int fewer = Math.Max(1, cells / 20_000); // Of the largest, so that it ends.
            Percentiles ofUpdate = Time(
                run.Size(1000, 20) / fewer,
                () => random.Next(count),
                cell => registry.Graph.Update(new CellEdit(Cell(cell), CellRegistration.Of(Analysis(cell, random))))
            );
            Percentiles ofRegistered = Time(
                run.Size(300, 20) / fewer,
                () => random.Next(count),
                cell => registry.Register(Cell(cell), Analysis(cell, random))
            );
            Percentiles ofPlan = Time(run.Size(100, 10) / fewer, () => random.Next(count), cell => RunPlan.For(registry, [], Cell(cell)));
            Percentiles ofAll = Time(Math.Max(2, run.Size(20, 2) / fewer), static () => 0, _ => RunPlan.For(registry, all, null));
            int middle = count / 2;
            CellId reader = registry.Graph.Downstream(Cell(middle)).FirstOrDefault(Cell(count - 1));
            registry.Register(
                Cell(middle),
                new CellAnalysis { Definitions = [Variable(middle)], References = registry.Graph.Registration(reader).Definitions }
            );
            Percentiles ofRefused = Time(
                run.Size(50, 10) / fewer,
                () => random.Next(middle),
                cell => registry.Register(Cell(cell), Analysis(cell, random))
            );
            Percentiles ofPlanRefused = Time(Math.Max(2, run.Size(20, 2) / fewer), static () => 0, _ => RunPlan.For(registry, all, null));
            registry.Register(Cell(middle), Analysis(middle, random));
            if (round >= 0)
            {
                // The round before the first compiles.
                update.Add(ofUpdate.Median);
                updateTail.Add(ofUpdate.At(0.99));
                registered.Add(ofRegistered.Median);
                plan.Add(ofPlan.Median);
                planAll.Add(ofAll.Median);
                refused.Add(ofRefused.Median);
                planRefused.Add(ofPlanRefused.Median);
            }
        }

        run.Report.Add(update, updateTail, registered, plan, planAll, refused, planRefused);
    }

    private static Percentiles Time(int count, Func<int> choose, Action<int> act)
    {
        var times = new List<TimeSpan>(count);
        for (int i = 0; i < count; i++)
        {
            int cell = choose();
            long start = Stopwatch.GetTimestamp();
            act(cell);
            times.Add(Stopwatch.GetElapsedTime(start));
        }

        return new Percentiles(times);
    }

    private static CellAnalysis Analysis(int cell, Random random) =>
        new()
        {
            Definitions = [Variable(cell)],
            References =
                cell == 0
                    ? []
                    :
                    [
                        .. Enumerable
                            .Range(0, Reads)
                            .Select(_ => Variable(random.Next(Math.Max(0, cell - Near), cell)))
                            .Distinct()
                            .Order(StringComparer.Ordinal),
                    ],
        };

    private static CellId Cell(int cell) => new(string.Create(CultureInfo.InvariantCulture, $"cell-{cell}"));

    private static string Variable(int cell) => string.Create(CultureInfo.InvariantCulture, $"v{cell}");
}
