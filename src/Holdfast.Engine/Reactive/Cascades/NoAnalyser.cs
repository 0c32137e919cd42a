namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>Knows no language: every cell is blocked as not analysed. Stands where no analyser is to be had.</summary>
internal sealed class NoAnalyser : ICellAnalyser
{
    public Task<CellAnalysis> AnalyseAsync(string source, CancellationToken cancellationToken) =>
        Task.FromResult(new CellAnalysis { Error = new AnalysisError(AnalysisErrorKind.NotAnalysed, "There is no analyser for this language.", 0) });
}
