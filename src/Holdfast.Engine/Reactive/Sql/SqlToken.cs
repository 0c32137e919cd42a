namespace Holdfast.Engine.Reactive.Sql;

/// <summary>What a piece of an SQL text is.</summary>
internal enum SqlTokenKind
{
    Word,

    /// <summary>An identifier in double quotes; the text is without them.</summary>
    QuotedName,

    /// <summary><c>{name}</c>, or <c>{name.part['of']}</c>: the text is what stands between the braces.</summary>
    Parameter,

    /// <summary>A string of characters, between single quotes or dollar signs; the text is empty.</summary>
    Literal,

    /// <summary>One character that is none of the others.</summary>
    Mark,

    /// <summary>A string, a quoted name or a comment that has no end; the text is what it begins with.</summary>
    Unfinished,
}

/// <summary>One piece of an SQL text that matters to us, and where it stands. Comments and blanks are none.</summary>
internal readonly record struct SqlToken(SqlTokenKind Kind, string Text, int Start, int End)
{
    public bool Is(string keyword) => Kind == SqlTokenKind.Word && Text.Equals(keyword, StringComparison.OrdinalIgnoreCase);

    public static List<SqlToken> Read(string sql)
    {
        var tokens = new List<SqlToken>();
        int at = 0;
        while (at < sql.Length)
        {
            int start = at;
            char c = sql[at];
            if (c == '\'')
            {
                at = EndOfQuoted(sql, at, '\'', hasEscapes: IsEscapeString(sql, at));
                Add(SqlTokenKind.Literal, "", start, at, "'");
            }
            else if (c == '$' && DollarTag(sql, at) is { } tag)
            {
                at = sql.IndexOf(tag, at + tag.Length, StringComparison.Ordinal) is >= 0 and var close ? close + tag.Length : -1;
                Add(SqlTokenKind.Literal, "", start, at, tag);
            }
            else if (sql.AsSpan(at).StartsWith("--"))
            {
                at = sql.IndexOf('\n', at) is >= 0 and var end ? end : sql.Length;
            }
            else if (sql.AsSpan(at).StartsWith("/*"))
            {
                at = sql.IndexOf("*/", at + 2, StringComparison.Ordinal) is >= 0 and var end ? end + 2 : -1;
                if (at < 0)
                {
                    Add(SqlTokenKind.Unfinished, "", start, at, "/*");
                }
            }
            else if (c == '"')
            {
                at = EndOfQuoted(sql, at, '"', hasEscapes: false);
                Add(
                    SqlTokenKind.QuotedName,
                    at < 0 ? "" : sql[(start + 1)..(at - 1)].Replace("\"\"", "\"", StringComparison.Ordinal),
                    start,
                    at,
                    "\""
                );
            }
            else if (c == '{' && EndOfParameter(sql, at) is > 0 and var after)
            {
                at = after;
                tokens.Add(new SqlToken(SqlTokenKind.Parameter, sql[(start + 1)..(at - 1)].Trim(), start, at));
            }
            else if (IsNameStart(c))
            {
                while (at < sql.Length && (IsNameStart(sql[at]) || char.IsAsciiDigit(sql[at]) || sql[at] == '$'))
                {
                    at++;
                }

                tokens.Add(new SqlToken(SqlTokenKind.Word, sql[start..at], start, at));
            }
            else
            {
                at++;
                if (!char.IsWhiteSpace(c))
                {
                    tokens.Add(new SqlToken(SqlTokenKind.Mark, sql[start..at], start, at));
                }
            }
        }

        return tokens;

        void Add(SqlTokenKind kind, string text, int from, int to, string opening)
        {
            at = to < 0 ? sql.Length : to;
            tokens.Add(to < 0 ? new SqlToken(SqlTokenKind.Unfinished, opening, from, at) : new SqlToken(kind, text, from, at));
        }
    }

    /// <summary><c>$$</c> or <c>$tag$</c>, by which PostgreSQL and DuckDB quote; null for any other dollar sign.</summary>
    private static string? DollarTag(string sql, int at)
    {
        int end = at + 1;
        while (end < sql.Length && (IsNameStart(sql[end]) || (end > at + 1 && char.IsAsciiDigit(sql[end]))))
        {
            end++;
        }

        return end < sql.Length && sql[end] == '$' ? sql[at..(end + 1)] : null;
    }

    /// <summary>Behind the closing quote, or -1 where there is none; a doubled one is part of the text.</summary>
    private static int EndOfQuoted(string sql, int at, char quote, bool hasEscapes)
    {
        for (at++; at < sql.Length; at++)
        {
            if (hasEscapes && sql[at] == '\\')
            {
                at++;
            }
            else if (sql[at] == quote)
            {
                if (at + 1 < sql.Length && sql[at + 1] == quote)
                {
                    at++;
                    continue;
                }

                return at + 1;
            }
        }

        return -1;
    }

    /// <summary><c>E'it\'s'</c>: in PostgreSQL and DuckDB a backslash escapes there, and nowhere else.</summary>
    private static bool IsEscapeString(string sql, int at) =>
        at > 0 && sql[at - 1] is ('e' or 'E') && (at == 1 || !(IsNameStart(sql[at - 2]) || char.IsAsciiDigit(sql[at - 2])));

    /// <summary>
    /// Behind the brace when a name, or a part of what it names, stands between the two; else 0, and it is a brace as any.
    /// </summary>
    private static int EndOfParameter(string sql, int at)
    {
        int end = sql.IndexOf('}', at);
        if (end < 0)
        {
            return 0;
        }

        ReadOnlySpan<char> name = sql.AsSpan((at + 1)..end).Trim();
        if (name.IsEmpty || !IsNameStart(name[0]))
        {
            return 0;
        }

        foreach (char c in name)
        {
            if (!IsNameStart(c) && !char.IsAsciiDigit(c) && !".[]'\"".Contains(c, StringComparison.Ordinal))
            {
                return 0;
            }
        }

        return end + 1;
    }

    private static bool IsNameStart(char c) => char.IsLetter(c) || c == '_';
}
