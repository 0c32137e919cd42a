using System.Collections.Frozen;

namespace Holdfast.Engine.Notebooks.Parameters;

/// <summary>Julia. A dollar sign in a string would be evaluated, so it is escaped.</summary>
internal sealed class JuliaParameters : ParameterLanguage
{
    public override string Name => "Julia";

    protected override string Null => "nothing";

    protected override IReadOnlySet<string> Reserved { get; } =
        FrozenSet.Create(
            "baremodule",
            "begin",
            "break",
            "catch",
            "const",
            "continue",
            "do",
            "else",
            "elseif",
            "end",
            "export",
            "false",
            "finally",
            "for",
            "function",
            "global",
            "if",
            "import",
            "let",
            "local",
            "macro",
            "module",
            "quote",
            "return",
            "struct",
            "true",
            "try",
            "using",
            "while"
        );

    protected override bool IsWord(string name) => IsWord(name.TrimEnd('!'), isAscii: false);

    protected override string String(string text) => DoubleQuoted(text, "$", UnicodeEscape);

    protected override string List(IReadOnlyList<string> values) => $"[{string.Join(", ", values)}]";

    protected override string Map(IReadOnlyList<KeyValuePair<string, string>> members) =>
        $"Dict({string.Join(", ", members.Select(member => $"{member.Key} => {member.Value}"))})";
}
