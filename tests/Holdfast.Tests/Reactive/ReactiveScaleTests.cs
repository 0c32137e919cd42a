using Holdfast.Engine.Reactive;
using static Holdfast.Tests.Reactive.Sources;

namespace Holdfast.Tests.Reactive;

/// <summary>
/// Goal: what an edit and a plan cost grows no faster than the notebook. Method: what they allocate in 1,000 cells against 10,000, and
/// notebooks of a size that nothing quadratic gets through; the times are the bench's to print.
/// </summary>
public sealed class ReactiveScaleTests
{
    private const int Cells = 10_000;

    [Fact]
    public void An_edit_grows_slower_than_its_notebook_and_a_plan_no_faster()
    {
        (long editOfFew, long planOfFew) = Cost(1_000);
        (long editOfMany, long planOfMany) = Cost(10_000);
        Assert.True(editOfMany < 8 * editOfFew, $"An edit allocates {editOfFew} bytes in 1,000 cells and {editOfMany} in 10,000.");
        Assert.True(planOfMany < 20 * planOfFew, $"A plan of all allocates {planOfFew} bytes for 1,000 cells and {planOfMany} for 10,000.");
    }

    [Fact]
    public void Ten_thousand_cells_that_import_the_same_are_loaded_at_once()
    {
        CellAnalysis analysis = Analysis("np* =");
        CellRegistry registry = CellRegistry.Load([
            .. Enumerable.Range(0, Cells).Select(i => new LoadedCell(Cell(i), analysis, CellRegistration.Of(analysis))),
        ]);
        Assert.Empty(registry.NotRunnable);
        registry.Delete(Cell(0));
        Assert.Equal(Cell(1), registry.Graph.DefinerOf("np"));
    }

    [Fact]
    public void A_chain_of_a_hundred_thousand_cells_neither_overflows_nor_takes_for_ever()
    {
        const int count = 100_000;
        CellRegistry registry = CellRegistry.Load([
            .. Enumerable
                .Range(0, count)
                .Select(i =>
                {
                    var analysis = new CellAnalysis { Definitions = [Name(i)], References = i == 0 ? [] : [Name(i - 1)] };
                    return new LoadedCell(Cell(i), analysis, CellRegistration.Of(analysis));
                }),
        ]);
        registry.Register(Cell(0), new CellAnalysis { Definitions = [Name(0)], References = [Name(count - 1)] });
        Assert.Equal(count, registry.NotRunnable.Count);
    }

    private static CellRegistry Notebook(int count)
    {
        var random = new Random(1);
        return CellRegistry.Load([
            .. Enumerable
                .Range(0, count)
                .Select(i =>
                {
                    CellAnalysis analysis = CellAnalysisOf(i, random);
                    return new LoadedCell(
                        Cell(i),
                        analysis with
                        {
                            Definitions = [Name(i)],
                        },
                        CellRegistration.Of(analysis with { Definitions = [Name(i)] })
                    );
                }),
        ]);
    }

    /// <summary>References to three earlier cells, mostly near ones.</summary>
    private static CellAnalysis CellAnalysisOf(int cell, Random random) =>
        new()
        {
            References =
                cell == 0
                    ? []
                    :
                    [
                        .. Enumerable
                            .Range(0, 3)
                            .Select(_ => Name(random.Next(Math.Max(0, cell - 200), cell)))
                            .Append(Name(cell / 2))
                            .Distinct()
                            .Order(StringComparer.Ordinal),
                    ],
        };

    private static CellId Cell(int i) => new($"cell{i}");

    private static string Name(int i) => $"name{i}";

    /// <summary>
    /// Bytes that an edit of one of the last cells, and a plan of all, allocate on average: a measure that no neighbour moves.
    /// </summary>
    private static (long Edit, long Plan) Cost(int cells)
    {
        const int times = 50;
        CellRegistry registry = Notebook(cells);
        var random = new Random(3);
        long start = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < times; i++)
        {
            registry.Register(Cell(cells - 100 + random.Next(100)), CellAnalysisOf(cells - 50, random));
        }

        long edited = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < times; i++)
        {
            _ = RunPlan.For(registry, [], Cell(0));
        }

        return ((edited - start) / times, (GC.GetAllocatedBytesForCurrentThread() - edited) / times);
    }
}
