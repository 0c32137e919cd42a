using Holdfast.Engine.Reactive.Sql;

namespace Holdfast.Engine.Reactive;

/// <summary>Reads SQL as far as names go, whatever the dialect: words, quoted identifiers, strings, comments and parameters.</summary>
internal sealed class SqlNames
{
    private const string Quote = "\"";

    // Functions whose arguments have a FROM that names no table.
    private static readonly HashSet<string> Calls = new(StringComparer.OrdinalIgnoreCase) { "extract", "substring", "trim", "overlay" };

    // Words that end a list of tables.
    private static readonly HashSet<string> Ends = new(StringComparer.OrdinalIgnoreCase)
    {
        "where",
        "group",
        "order",
        "having",
        "limit",
        "window",
        "union",
        "except",
        "intersect",
        "select",
        "set",
        "returning",
        "on",
        "using",
    };

    // The brackets that are open, innermost last: whether a comma at this depth leads to another table, and whether it is one of those.
    private readonly List<(bool IsListing, bool IsCall)> _depth = [(false, false)];

    private string _before = "";
    private string _beforeThat = "";
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
        else if (isWord && LeadsToTable(_last, _before) && (isName || SqlAnalyser.IsTableWord(word)))
        {
            Tables.Add(word);
        }
        else if (word == "." && LeadsToTable(_before, _beforeThat))
        {
            Tables.Remove(_last.TrimStart('"')); // A schema's name; its table is the database's own.
        }
        else if (Is(word, "as") && (Is(_before, "with") || Is(_before, "recursive") || (_before == "," && !_depth[^1].IsListing)))
        {
            Local.Add(_last.TrimStart('"'));
        }
        else if (word == ";")
        {
            _isCreating = false;
        }

        Follow(word, isName);
        _beforeThat = _before;
        _before = _last;
        _last = isName ? Quote + word : word; // A quoted name is no keyword, whatever it says.
    }

    private bool LeadsToTable(string word, string before) =>
        (Is(word, "from") && IsClause(before))
        || Is(word, "join")
        || Is(word, "into")
        || Is(word, "update")
        || (word == "," && _depth[^1].IsListing);

    private bool IsClause(string beforeFrom) => !_depth[^1].IsCall && !Is(beforeFrom, "distinct"); // IS DISTINCT FROM compares.

    /// <summary>Where in the brackets and lists of the statement the next word is.</summary>
    private void Follow(string word, bool isName)
    {
        if (word == "(")
        {
            _depth.Add((false, Calls.Contains(_last)));
        }
        else if (word == ")" && _depth.Count > 1)
        {
            _depth.RemoveAt(_depth.Count - 1);
        }
        else if (!isName && (Ends.Contains(word) || (Is(word, "from") && IsClause(_last)) || Is(word, "join")))
        {
            _depth[^1] = (!Ends.Contains(word), _depth[^1].IsCall);
        }
    }

    private static bool Is(string word, string keyword) => string.Equals(word, keyword, StringComparison.OrdinalIgnoreCase);
}
