using System.Text;

namespace Holdfast.Tests.Tidy;

/// <summary>A C# text taken apart: the code without its strings and comments, and the comments alone. Lines stay where they were.</summary>
internal static class SourceText
{
    public static (string Code, string Comments) Split(string text)
    {
        var code = new StringBuilder(text.Length);
        var comments = new StringBuilder();
        int at = 0;
        while (at < text.Length)
        {
            int end = EndOfTrivia(text, at);
            if (end > at)
            {
                comments.Append(text, at, end - at).Append('\n');
                Blank(code, text.AsSpan(at, end - at));
                at = end;
                continue;
            }

            end = EndOfLiteral(text, at);
            if (end > at)
            {
                // What stands inside an interpolation is lost with its string: a rule that must see it would need a real parser.
                code.Append('"');
                Blank(code, text.AsSpan(at + 1, end - at - 1));
                at = end;
                continue;
            }

            code.Append(text[at++]);
        }

        return (code.ToString(), comments.ToString());
    }

    private static int EndOfTrivia(string text, int at)
    {
        if (Follows(text, at, "//"))
        {
            int end = text.IndexOf('\n', at);
            return end < 0 ? text.Length : end;
        }

        if (Follows(text, at, "/*"))
        {
            int end = text.IndexOf("*/", at + 2, StringComparison.Ordinal);
            return end < 0 ? text.Length : end + 2;
        }

        return at;
    }

    private static int EndOfLiteral(string text, int at)
    {
        if (text[at] == '\'')
        {
            return EndOfEscaped(text, at, '\'');
        }

        int quote = at;
        bool isVerbatim = false;
        while (quote < text.Length && text[quote] is '$' or '@')
        {
            isVerbatim |= text[quote] == '@';
            quote++;
        }

        if (quote >= text.Length || text[quote] != '"')
        {
            return at;
        }

        int quotes = 0;
        while (quote + quotes < text.Length && text[quote + quotes] == '"')
        {
            quotes++;
        }

        if (quotes >= 3)
        {
            int end = text.IndexOf(new string('"', quotes), quote + quotes, StringComparison.Ordinal);
            return end < 0 ? text.Length : end + quotes;
        }

        return isVerbatim ? EndOfVerbatim(text, quote) : EndOfEscaped(text, quote, '"');
    }

    private static int EndOfVerbatim(string text, int quote)
    {
        int at = quote + 1;
        while (at < text.Length)
        {
            if (text[at] != '"')
            {
                at++;
            }
            else if (Follows(text, at, "\"\""))
            {
                at += 2;
            }
            else
            {
                return at + 1;
            }
        }

        return at;
    }

    private static int EndOfEscaped(string text, int quote, char closing)
    {
        int at = quote + 1;
        while (at < text.Length && text[at] != closing && text[at] != '\n')
        {
            at += text[at] == '\\' ? 2 : 1;
        }

        return Math.Min(at + 1, text.Length);
    }

    private static bool Follows(string text, int at, string expected) => string.CompareOrdinal(text, at, expected, 0, expected.Length) == 0;

    private static void Blank(StringBuilder code, ReadOnlySpan<char> span)
    {
        foreach (char c in span)
        {
            code.Append(c == '\n' ? '\n' : ' ');
        }
    }
}
