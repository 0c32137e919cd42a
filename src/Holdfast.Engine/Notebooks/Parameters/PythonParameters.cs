using System.Collections.Frozen;

namespace Holdfast.Engine.Notebooks.Parameters;

/// <summary>Python 3.</summary>
internal sealed class PythonParameters : ParameterLanguage
{
    public override string Name => "Python";

    protected override string Null => "None";

    protected override string True => "True";

    protected override string False => "False";

    protected override IReadOnlySet<string> Reserved { get; } =
        FrozenSet.Create(
            "False",
            "None",
            "True",
            "and",
            "as",
            "assert",
            "async",
            "await",
            "break",
            "class",
            "continue",
            "def",
            "del",
            "elif",
            "else",
            "except",
            "finally",
            "for",
            "from",
            "global",
            "if",
            "import",
            "in",
            "is",
            "lambda",
            "nonlocal",
            "not",
            "or",
            "pass",
            "raise",
            "return",
            "try",
            "while",
            "with",
            "yield",
            "__debug__"
        );

    /// <summary>Some kernelspecs say the version too.</summary>
    protected override bool IsCalled(string? language) =>
        base.IsCalled(language) || string.Equals(language, "python3", StringComparison.OrdinalIgnoreCase);

    protected override string String(string text) => DoubleQuoted(text, string.Empty, UnicodeEscape);

    protected override string List(IReadOnlyList<string> values) => $"[{string.Join(", ", values)}]";

    protected override string Map(IReadOnlyList<KeyValuePair<string, string>> members) =>
        $"{{{string.Join(", ", members.Select(member => $"{member.Key}: {member.Value}"))}}}";
}
