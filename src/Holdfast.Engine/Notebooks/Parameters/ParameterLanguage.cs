using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Holdfast.Engine.Notebooks.Parameters;

/// <summary>
/// How one language writes an assignment of a JSON value. What comes out must mean that value and nothing else: parameters are data, and
/// come from requests, so no text in them may end its literal or be evaluated.
/// </summary>
internal abstract class ParameterLanguage
{
    private static readonly ParameterLanguage[] All =
    [
        new PythonParameters(),
        new RParameters(),
        new JuliaParameters(),
        new BashParameters(),
        new ScalaParameters(),
    ];

    public static string Known => string.Join(", ", All.Select(language => language.Name));

    public abstract string Name { get; }

    public virtual string Comment => "#";

    protected abstract string Null { get; }

    protected virtual string True => "true";

    protected virtual string False => "false";

    /// <summary>Words that look like names and are not.</summary>
    protected abstract IReadOnlySet<string> Reserved { get; }

    public static ParameterLanguage? Find(string? language)
    {
        foreach (ParameterLanguage candidate in All)
        {
            if (candidate.IsCalled(language))
            {
                return candidate;
            }
        }

        return null;
    }

    public bool IsName(string name) => IsWord(name) && !Reserved.Contains(name);

    public virtual string Assign(string name, string value) => $"{name} = {value}";

    /// <exception cref="NotSupportedException">The language has no form for this value; the message says why.</exception>
    public string Value(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.True => True,
            JsonValueKind.False => False,
            JsonValueKind.Number => Number(value.GetRawText()),
            JsonValueKind.String => String(value.GetString()!),
            JsonValueKind.Array => List([.. value.EnumerateArray().Select(Value)]),
            JsonValueKind.Object => Map([
                .. value.EnumerateObject().Select(member => KeyValuePair.Create(String(member.Name), Value(member.Value))),
            ]),
            _ => Null,
        };

    protected virtual bool IsCalled(string? language) => string.Equals(language, Name, StringComparison.OrdinalIgnoreCase);

    protected virtual bool IsWord(string name) => IsWord(name, isAscii: false);

    /// <summary>JSON's numbers are numbers in every language here, but for their size.</summary>
    protected virtual string Number(string text) => text;

    protected abstract string String(string text);

    protected abstract string List(IReadOnlyList<string> values);

    protected abstract string Map(IReadOnlyList<KeyValuePair<string, string>> members);

    protected static bool IsWord(string name, bool isAscii)
    {
        if (name.Length == 0 || char.IsAsciiDigit(name[0]))
        {
            return false;
        }

        bool isFirst = true;
        foreach (Rune rune in name.EnumerateRunes())
        {
            bool isPart =
                rune.Value == '_'
                || (isAscii ? rune.IsAscii && Rune.IsLetterOrDigit(rune) : Rune.IsLetter(rune) || (!isFirst && IsContinuation(rune)));
            if (!isPart)
            {
                return false;
            }

            isFirst = false;
        }

        return true;
    }

    /// <summary>
    /// A literal in double quotes. Escaped: the quote, the backslash, what <paramref name="special"/> adds, and everything that does not
    /// show or reorders what shows (controls, direction marks, line separators), so that the cell reads as what it does.
    /// </summary>
    protected static string DoubleQuoted(string text, string special, Func<Rune, string> number)
    {
        StringBuilder literal = new("\"");
        foreach (Rune rune in text.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '\n' => literal.Append("\\n"),
                '\r' => literal.Append("\\r"),
                '\t' => literal.Append("\\t"),
                '"' or '\\' => literal.Append('\\').Append((char)rune.Value),
                _ when rune.IsBmp && special.Contains((char)rune.Value, StringComparison.Ordinal) => literal
                    .Append('\\')
                    .Append((char)rune.Value),
                _ when IsHidden(rune) => literal.Append(number(rune)),
                _ => literal.Append(rune.ToString()),
            };
        }

        return literal.Append('"').ToString();
    }

    /// <summary><c>\u00e9</c>, or <c>\U0001f600</c> past the first plane.</summary>
    protected static string UnicodeEscape(Rune rune) =>
        rune.IsBmp
            ? string.Create(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}")
            : string.Create(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}");

    protected static void RefuseNul(string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw new NotSupportedException("its strings cannot hold the character NUL.");
        }
    }

    private static bool IsHidden(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator;

    private static bool IsContinuation(Rune rune) =>
        Rune.IsDigit(rune)
        || Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.NonSpacingMark
                or UnicodeCategory.SpacingCombiningMark
                or UnicodeCategory.ConnectorPunctuation;
}
