using System.Collections.Frozen;

namespace Holdfast.Engine.Notebooks.Parameters;

/// <summary>R. Lists are <c>list(…)</c>, as JSON's may mix types; a name may hold dots and may not start with an underscore.</summary>
internal sealed class RParameters : ParameterLanguage
{
    public override string Name => "R";

    protected override string Null => "NULL";

    protected override string True => "TRUE";

    protected override string False => "FALSE";

    protected override IReadOnlySet<string> Reserved { get; } =
        FrozenSet.Create(
            "if",
            "else",
            "repeat",
            "while",
            "function",
            "for",
            "next",
            "break",
            "TRUE",
            "FALSE",
            "NULL",
            "Inf",
            "NaN",
            "NA",
            "NA_integer_",
            "NA_real_",
            "NA_complex_",
            "NA_character_",
            "in",
            "..."
        );

    protected override bool IsWord(string name)
    {
        if (name.Length == 0 || name[0] == '_' || (name[0] == '.' && name.Length > 1 && char.IsAsciiDigit(name[1])))
        {
            return false;
        }

        return IsWord(name.Replace('.', '_'), isAscii: false);
    }

    protected override string String(string text)
    {
        RefuseNul(text);
        return DoubleQuoted(text, string.Empty, UnicodeEscape);
    }

    protected override string List(IReadOnlyList<string> values) => $"list({string.Join(", ", values)})";

    protected override string Map(IReadOnlyList<KeyValuePair<string, string>> members)
    {
        if (members.Any(member => member.Key == "\"\""))
        {
            throw new NotSupportedException("a list cannot have an empty name.");
        }

        return $"list({string.Join(", ", members.Select(member => $"{member.Key} = {member.Value}"))})";
    }
}
