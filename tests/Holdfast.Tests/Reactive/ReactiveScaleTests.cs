using System.Diagnostics;
using System.Globalization;
using Holdfast.Engine.Reactive;
using static Holdfast.Tests.Reactive.Sources;

namespace Holdfast.Tests.Reactive;

/// <summary>
/// Goal: what an edit and a plan cost grows no faster than the notebook. Method: the best of some runs at 10,000 cells with 30,000 edges, against bounds
/// that leave room for a busy machine and an unoptimised build; the figures themselves are the bench's to print.
/// </summary>
public sealed class ReactiveScaleTests
{
    private const int Cells = 10_000;

    [Fact]
    public void An_edit_and_a_plan_of_ten_thousand_cells_stay_within_milliseconds()
    {
        CellRegistry registry = Notebook(Cells);
        var random = new Random(3);
        double edit = Best(200, () => registry.Register(Cell(Cells - 100 + random.Next(100)), CellAnalysisOf(Cells - 50, random)));
        double worst = Best(10, () => registry.Register(Cell(0), new CellAnalysis { Definitions = [Name(0)] }));
        double refused = Best(10, () => registry.Register(Cell(0), new CellAnalysis { Definitions = [Name(0)], References = [Name(Cells - 1 - random.Next(50))] }));
        registry.Register(Cell(0), new CellAnalysis { Definitions = [Name(0)] });
        double plan = Best(10, () => RunPlan.For(registry, [], Cell(0)));
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"edit {edit:F3} ms, edit of the first cell {worst:F2} ms, refused {refused:F2} ms, plan of all {plan:F2} ms"));
        Assert.True(edit < 5 && worst < 150 && refused < 300 && plan < 300, $"{edit} {worst} {refused} {plan}");
    }

    [Fact]
    public void Ten_thousand_cells_that_import_the_same_are_loaded_at_once()
    {
        CellAnalysis analysis = Analysis("np* =");
        CellRegistry registry = CellRegistry.Load([.. Enumerable.Range(0, Cells).Select(i => new LoadedCell(Cell(i), analysis, CellRegistration.Of(analysis)))]);
        Assert.Empty(registry.NotRunnable);
        registry.Delete(Cell(0));
        Assert.Equal(Cell(1), registry.Graph.DefinerOf("np"));
    }

    [Fact]
    public void A_chain_of_a_hundred_thousand_cells_neither_overflows_nor_takes_for_ever()
    {
        const int count = 100_000;
        CellRegistry registry = CellRegistry.Load([.. Enumerable.Range(0, count).Select(i =>
        {
            var analysis = new CellAnalysis { Definitions = [Name(i)], References = i == 0 ? [] : [Name(i - 1)] };
            return new LoadedCell(Cell(i), analysis, CellRegistration.Of(analysis));
        })]);
        registry.Register(Cell(0), new CellAnalysis { Definitions = [Name(0)], References = [Name(count - 1)] });
        Assert.Equal(count, registry.NotRunnable.Count);
    }

    private static CellRegistry Notebook(int count)
    {
        var random = new Random(1);
        return CellRegistry.Load([.. Enumerable.Range(0, count).Select(i =>
        {
            CellAnalysis analysis = CellAnalysisOf(i, random);
            return new LoadedCell(Cell(i), analysis with { Definitions = [Name(i)] }, CellRegistration.Of(analysis with { Definitions = [Name(i)] }));
        })]);
    }

    /// <summary>References to three earlier cells, mostly near ones.</summary>
    private static CellAnalysis CellAnalysisOf(int cell, Random random) => new()
    {
        References = cell == 0 ? [] : [.. Enumerable.Range(0, 3).Select(_ => Name(random.Next(Math.Max(0, cell - 200), cell))).Append(Name(cell / 2)).Distinct().Order(StringComparer.Ordinal)],
    };

    private static CellId Cell(int i) => new($"cell{i}");

    private static string Name(int i) => $"name{i}";

    private static double Best(int rounds, Action action)
    {
        double best = double.MaxValue;
        for (int i = 0; i < rounds; i++)
        {
            long start = Stopwatch.GetTimestamp();
            action();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return best;
    }
}
