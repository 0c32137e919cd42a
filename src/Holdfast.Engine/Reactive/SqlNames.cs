using Holdfast.Engine.Reactive.Sql;

namespace Holdfast.Engine.Reactive;

/// <summary>Reads SQL as far as names go, whatever the dialect: words, quoted identifiers, strings, comments and parameters.</summary>
internal sealed class SqlNames
{
    private const string Quote = "\"";

    private string _before = "";
    private string _last = "";
    private bool _isCreating;

    public HashSet<string> Parameters { get; } = new(StringComparer.Ordinal);

    public HashSet<string> Tables { get; } = new(StringComparer.Ordinal);

    public HashSet<string> Created { get; } = new(StringComparer.Ordinal);

    /// <summary>Names that the statement gives to its own parts: WITH name AS (...).</summary>
    public HashSet<string> Local { get; } = new(StringComparer.Ordinal);

    public void Read(string sql)
    {
        foreach (SqlToken token in SqlToken.Read(sql))
        {
            switch (token.Kind)
            {
                case SqlTokenKind.Parameter:
                    Parameters.Add(token.Text.Split('.', '[')[0].Trim());
                    Take("{", isName: false);
                    break;
                case SqlTokenKind.Literal or SqlTokenKind.Unfinished:
                    Take("'", isName: false);
                    break;
                default:
                    Take(token.Text, token.Kind == SqlTokenKind.QuotedName);
                    break;
            }
        }
    }

    /// <summary>Each word as it comes; what a name is, the words before it say.</summary>
    private void Take(string word, bool isName)
    {
        bool isWord = isName || SqlAnalyser.IsName(word);
        if (Is(word, "create"))
        {
            _isCreating = true;
        }
        else if (_isCreating && isWord && (Is(_last, "table") || Is(_last, "view") || Is(_last, "exists")) && SqlAnalyser.IsTableWord(word))
        {
            Created.Add(word);
            _isCreating = false;
        }
        else if (
            isWord
            && (Is(_last, "from") || Is(_last, "join") || Is(_last, "into") || Is(_last, "update"))
            && (isName || SqlAnalyser.IsTableWord(word))
        )
        {
            Tables.Add(word);
        }
        else if (word == "." && Tables.Contains(_last.TrimStart('"')))
        {
            Tables.Remove(_last.TrimStart('"')); // A schema's name; its table is the database's own.
        }
        else if (Is(word, "as") && (Is(_before, "with") || Is(_before, "recursive") || _before == ","))
        {
            Local.Add(_last.TrimStart('"'));
        }
        else if (word == ";")
        {
            _isCreating = false;
        }

        _before = _last;
        _last = isName ? Quote + word : word; // A quoted name is no keyword, whatever it says.
    }

    private static bool Is(string word, string keyword) => string.Equals(word, keyword, StringComparison.OrdinalIgnoreCase);
}
