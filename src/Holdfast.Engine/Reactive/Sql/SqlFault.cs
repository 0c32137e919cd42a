namespace Holdfast.Engine.Reactive.Sql;

/// <summary>
/// What can be said of a statement without knowing its dialect, and so at once when it is typed: text without an end, brackets that do not
/// fit, more than one statement. All else is the database's to say.
/// </summary>
internal static class SqlFault
{
    /// <summary>Null when there is nothing to complain of.</summary>
    public static string? Of(IReadOnlyList<SqlToken> tokens, string statement, int linesBefore)
    {
        var open = new Stack<SqlToken>();
        bool isBody = false;
        for (int i = 0; i < tokens.Count; i++)
        {
            SqlToken token = tokens[i];
            isBody |= i > 0 && token.Is("trigger") && tokens[0].Is("create"); // Its statements end with semicolons of their own.
            if (token.Kind == SqlTokenKind.Unfinished)
            {
                return $"{token.Text} in line {Line(token)} has no end.";
            }

            if (token.Kind != SqlTokenKind.Mark)
            {
                continue;
            }

            switch (token.Text)
            {
                case "(" or "[":
                    open.Push(token);
                    break;
                case ")" or "]":
                    if (!open.TryPop(out SqlToken opened) || (opened.Text == "(") != (token.Text == ")"))
                    {
                        return $"{token.Text} in line {Line(token)} closes nothing.";
                    }

                    break;
                case ";" when !isBody && i < tokens.Count - 1:
                    return $"There is one statement in a cell; another begins in line {Line(tokens[i + 1])}.";
                default:
                    break;
            }
        }

        return open.TryPop(out SqlToken left) ? $"{left.Text} in line {Line(left)} is not closed." : null;

        int Line(SqlToken token) => 1 + linesBefore + statement.AsSpan(0, token.Start).Count('\n');
    }
}
