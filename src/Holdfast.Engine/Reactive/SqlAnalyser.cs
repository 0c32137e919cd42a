using Holdfast.Engine.Reactive.Sql;

namespace Holdfast.Engine.Reactive;

/// <summary>
/// Cells of SQL: <c>%%sql [name]</c> on the first line (see <see cref="SqlCell"/>), where the result is put under that name, then a
/// statement. <c>{name}</c> is a parameter, bound and never pasted. Tables that are read are references only if a cell defines them; views
/// and tables that are created are definitions.
/// </summary>
public sealed class SqlAnalyser : ICellAnalyser
{
    private const string Magic = "%%sql";

    private static readonly HashSet<string> NoTable = new(StringComparer.OrdinalIgnoreCase)
    {
        "select",
        "lateral",
        "unnest",
        "values",
        "set",
        "only",
        "if",
        "exists",
        "not",
    };

    public static bool IsSql(string source)
    {
        ReadOnlySpan<char> text = source.AsSpan().TrimStart();
        return text.StartsWith(Magic, StringComparison.Ordinal) && (text.Length == Magic.Length || char.IsWhiteSpace(text[Magic.Length]));
    }

    public Task<CellAnalysis> AnalyseAsync(string source, CancellationToken cancellationToken) => Task.FromResult(Analyse(source));

    public static CellAnalysis Analyse(string source)
    {
        string text = source.TrimStart();
        int end = text.IndexOf('\n', StringComparison.Ordinal);
        SqlCell cell = SqlCell.Parse(source);
        if (cell.Error is not null)
        {
            return new CellAnalysis { Language = "sql", Error = new AnalysisError(AnalysisErrorKind.SyntaxError, cell.Error, 1) };
        }

        string? result = cell.Target;

        var found = new SqlNames();
        found.Read(end < 0 ? "" : text[end..]);
        var definitions = found.Created.ToHashSet(StringComparer.Ordinal);
        if (result is not null)
        {
            definitions.Add(result);
        }

        return new CellAnalysis
        {
            Language = "sql",
            Definitions = Public(definitions),
            References = Public(found.Parameters),
            Weak = Public(found.Tables.Except(found.Local).Except(found.Created).Except(found.Parameters)),
            Privates = [.. definitions.Concat(found.Parameters).Where(static n => n[0] == '_').Distinct().Order(StringComparer.Ordinal)],
            WrittenPrivates = [.. definitions.Where(static n => n[0] == '_').Order(StringComparer.Ordinal)],
        };
    }

    internal static bool IsName(string text) =>
        text.Length > 0 && !char.IsAsciiDigit(text[0]) && text.All(static c => c == '_' || char.IsLetterOrDigit(c));

    internal static bool IsTableWord(string word) => !NoTable.Contains(word);

    private static string[] Public(IEnumerable<string> names) =>
        [.. names.Where(static n => n[0] != '_').Distinct().Order(StringComparer.Ordinal)];
}
