namespace Holdfast.Engine.Reactive;

/// <summary>
/// For kernels of languages that nobody here can read: each cell is told so, where a reading as Python would give it names and an order
/// that are not its own.
/// </summary>
internal sealed class UnknownLanguage(string language) : ICellAnalyser
{
    private readonly CellAnalysis _answer = new()
    {
        Language = language.ToLowerInvariant(),
        Error = new AnalysisError(
            AnalysisErrorKind.NotAnalysed,
            $"The notebook's kernel speaks {language}, and reactive mode can read only Python and SQL. Run it as a linear notebook.",
            0
        ),
    };

    public Task<CellAnalysis> AnalyseAsync(string source, CancellationToken cancellationToken) => Task.FromResult(_answer);
}
