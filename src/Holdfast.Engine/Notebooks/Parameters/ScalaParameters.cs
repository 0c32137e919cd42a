using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Holdfast.Engine.Notebooks.Parameters;

/// <summary>Scala. Whole numbers past Int are Long, past Long BigInt.</summary>
internal sealed class ScalaParameters : ParameterLanguage
{
    public override string Name => "Scala";

    public override string Comment => "//";

    protected override string Null => "None";

    protected override IReadOnlySet<string> Reserved { get; } =
        FrozenSet.Create(
            "_",
            "abstract",
            "case",
            "catch",
            "class",
            "def",
            "do",
            "else",
            "enum",
            "export",
            "extends",
            "false",
            "final",
            "finally",
            "for",
            "forSome",
            "given",
            "if",
            "implicit",
            "import",
            "lazy",
            "macro",
            "match",
            "new",
            "null",
            "object",
            "override",
            "package",
            "private",
            "protected",
            "return",
            "sealed",
            "super",
            "then",
            "this",
            "throw",
            "trait",
            "true",
            "try",
            "type",
            "val",
            "var",
            "while",
            "with",
            "yield"
        );

    public override string Assign(string name, string value) => $"val {name} = {value}";

    protected override string Number(string text)
    {
        if (text.AsSpan().ContainsAny(".eE"))
        {
            return text;
        }

        return int.TryParse(text, CultureInfo.InvariantCulture, out _) ? text
            : long.TryParse(text, CultureInfo.InvariantCulture, out _) ? text + "L"
            : $"BigInt(\"{text}\")";
    }

    protected override string String(string text) => DoubleQuoted(text, string.Empty, Units);

    protected override string List(IReadOnlyList<string> values) => $"Seq({string.Join(", ", values)})";

    protected override string Map(IReadOnlyList<KeyValuePair<string, string>> members) =>
        $"Map({string.Join(", ", members.Select(member => $"{member.Key} -> {member.Value}"))})";

    /// <summary>Scala has four digits only: past the first plane two of them.</summary>
    private static string Units(Rune rune) =>
        string.Concat(rune.ToString().Select(unit => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}")));
}
