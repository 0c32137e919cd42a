using Holdfast.Engine.Reactive;

namespace Holdfast.Tests.Reactive;

/// <summary>A kernel whose cells nobody here can read.</summary>
public sealed class UnknownLanguageTests
{
    [Fact]
    public async Task A_cell_is_told_so_and_given_no_names_of_another_language()
    {
        CellAnalysis analysis = await new UnknownLanguage("R").AnalyseAsync("x <- 1", TestContext.Current.CancellationToken);
        Assert.Equal(AnalysisErrorKind.NotAnalysed, analysis.Error!.Kind);
        Assert.Contains("speaks R", analysis.Error.Message, StringComparison.Ordinal);
        Assert.Empty(analysis.References);
    }
}
