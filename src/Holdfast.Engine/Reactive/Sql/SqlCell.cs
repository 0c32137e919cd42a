using System.Globalization;

namespace Holdfast.Engine.Reactive.Sql;

/// <summary>
/// A cell of one SQL statement: <c>%%sql [NAME] [--dsn VARIABLE] [--rows N]</c> and, on the lines below, the statement. NAME gets the
/// result. <c>{name}</c> is a parameter: the value that Python has under that name, bound by the database's own means and never written
/// into the text. Specification: docs/spec/reactive.md.
/// </summary>
internal sealed record SqlCell
{
    private const string Magic = "%%sql";
    private const int RowsDefault = 10_000;
    private const int RowsMax = 10_000_000;

    public string? Target { get; private init; }
    public string? DsnVariable { get; private init; }
    public int Rows { get; private init; } = RowsDefault;

    /// <summary>Why it cannot be run; the rest is empty then.</summary>
    public string? Error { get; private init; }

    /// <summary>The statement around its parameters: one more than there are of these.</summary>
    public IReadOnlyList<string> Pieces { get; private init; } = [];

    public IReadOnlyList<string> Parameters { get; private init; } = [];

    /// <summary>Tables that it reads: Python's own among them are given to the database first.</summary>
    public IReadOnlyList<string> Reads { get; private init; } = [];

    public static SqlCell Parse(string source)
    {
        string text = source.TrimStart();
        int line = text.IndexOf('\n', StringComparison.Ordinal);
        string statement = line < 0 ? "" : text[(line + 1)..].Trim().TrimEnd(';');
        SqlCell head = ParseHead(
            (line < 0 ? text : text[..line])[Magic.Length..].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
        );
        return head.Error is not null ? head
            : statement.Length == 0 ? new SqlCell { Error = "There is no statement below %%sql." }
            : head.With(
                statement,
                linesBefore: source
                    .AsSpan(0, source.IndexOf(statement, source.Length - text.Length + line, StringComparison.Ordinal))
                    .Count('\n')
            );
    }

    private static SqlCell ParseHead(string[] words)
    {
        var head = new SqlCell();
        for (int i = 0; i < words.Length; i++)
        {
            bool hasValue = i + 1 < words.Length;
            if (words[i] == "--dsn" && hasValue && IsIdentifier(words[i + 1]))
            {
                head = head with { DsnVariable = words[++i] };
            }
            else if (
                words[i] == "--rows"
                && hasValue
                && int.TryParse(words[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out int rows)
                && rows is > 0 and <= RowsMax
            )
            {
                head = head with { Rows = rows };
                i++;
            }
            else if (words[i] == "<<")
            {
                continue; // As others write it.
            }
            else if (head.Target is null && IsIdentifier(words[i]))
            {
                head = head with { Target = words[i] };
            }
            else
            {
                return new SqlCell
                {
                    Error =
                        $"After %%sql comes a name for the result, --dsn and the name of a variable of the environment, or --rows and a number up to {RowsMax}; not '{words[i]}'.",
                };
            }
        }

        return head;
    }

    private SqlCell With(string statement, int linesBefore)
    {
        List<SqlToken> tokens = SqlToken.Read(statement);
        if (SqlFault.Of(tokens, statement, linesBefore) is { } fault)
        {
            return new SqlCell { Error = fault };
        }

        var pieces = new List<string>();
        var parameters = new List<string>();
        int from = 0;
        foreach (SqlToken parameter in tokens.Where(static t => t.Kind == SqlTokenKind.Parameter))
        {
            pieces.Add(statement[from..parameter.Start]);
            parameters.Add(parameter.Text);
            from = parameter.End;
        }

        pieces.Add(statement[from..]);
        var names = new SqlNames();
        names.Read(statement);
        return this with
        {
            Pieces = pieces,
            Parameters = parameters,
            Reads = Sorted(names.Tables.Except(names.Local).Except(names.Created)),
        };
    }

    private static string[] Sorted(IEnumerable<string> names) => [.. names.Distinct().Order(StringComparer.Ordinal)];

    private static bool IsIdentifier(string word) =>
        (char.IsLetter(word[0]) || word[0] == '_') && word.All(static c => char.IsLetterOrDigit(c) || c == '_');
}
