using Holdfast.Engine.Reactive;

namespace Holdfast.Tests.Reactive;

/// <summary>
/// A language of one line for cells without a Python: <c>x y = a b -t</c> defines x and y, references a and b, and deletes t; <c>np*</c> is
/// an import; <c>!</c> cannot be read; <c>*</c> is a star import.
/// </summary>
internal static class Sources
{
    public static CellId Id(string id) => new(id);

    public static string Text(IEnumerable<CellId> cells) => string.Join(' ', cells);

    public static CellAnalysis Analysis(string source)
    {
        if (source is "!" or "*")
        {
            return new CellAnalysis
            {
                Error = new AnalysisError(
                    source == "!" ? AnalysisErrorKind.SyntaxError : AnalysisErrorKind.StarImport,
                    $"bad: {source}",
                    1
                ),
            };
        }

        string[] sides = source.Split('=');
        string[] left = Words(sides[0]);
        string[] right = sides.Length > 1 ? Words(sides[1]) : [];
        return new CellAnalysis
        {
            Definitions = [.. left.Select(static w => w.TrimEnd('*')).Distinct().Order(StringComparer.Ordinal)],
            Imports = left.Where(static w => w.EndsWith('*'))
                .Distinct()
                .ToDictionary(static w => w.TrimEnd('*'), static w => w.TrimEnd('*')),
            References = [.. right.Where(static w => w[0] != '-').Distinct().Order(StringComparer.Ordinal)],
            Deletions = [.. right.Where(static w => w[0] == '-').Select(static w => w[1..]).Distinct().Order(StringComparer.Ordinal)],
        };
    }

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
