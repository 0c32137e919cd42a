using Holdfast.Engine.Reactive;

namespace Holdfast.Tests.Reactive;

/// <summary>Names that cells keep to themselves, in a kernel that has one namespace for all.</summary>
public sealed class PrivateClashesTests
{
    [Fact]
    public void Who_writes_what_a_function_of_another_cell_reads_later_is_told_so()
    {
        CellRegistry registry = Registry(
            ("keeper", new CellAnalysis { WrittenPrivates = ["_x", "_y"], KeptPrivates = ["_x"] }),
            ("other", new CellAnalysis { WrittenPrivates = ["_x", "_y"] }),
            ("apart", new CellAnalysis { WrittenPrivates = ["_y"] })
        );

        (CellId cell, List<CellMutation> hints) = Assert.Single(PrivateClashes.Of(registry));
        Assert.Equal("other", cell.Value);
        Assert.Equal("_x", Assert.Single(hints).Name);
        Assert.Contains("keeper", hints[0].Hint, StringComparison.Ordinal);
    }

    private static CellRegistry Registry(params (string Id, CellAnalysis Analysis)[] cells) =>
        CellRegistry.Load([.. cells.Select(static c => new LoadedCell(new CellId(c.Id), c.Analysis, CellRegistration.Of(c.Analysis)))]);
}
