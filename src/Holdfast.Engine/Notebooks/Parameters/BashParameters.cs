using System.Collections.Frozen;

namespace Holdfast.Engine.Notebooks.Parameters;

/// <summary>
/// Bash: everything is text in single quotes, in which nothing is special. Lists and maps are refused, as papermill does: no variable holds
/// one as such.
/// </summary>
internal sealed class BashParameters : ParameterLanguage
{
    public override string Name => "Bash";

    protected override string Null => "''";

    protected override IReadOnlySet<string> Reserved { get; } =
        FrozenSet.Create("BASHOPTS", "BASH_VERSINFO", "EUID", "PPID", "SHELLOPTS", "UID");

    public override string Assign(string name, string value) => $"{name}={value}";

    protected override bool IsWord(string name) => IsWord(name, isAscii: true);

    protected override string String(string text)
    {
        RefuseNul(text);
        return $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
    }

    protected override string List(IReadOnlyList<string> values) =>
        throw new NotSupportedException("it has no lists. Give the text it is to be split from.");

    protected override string Map(IReadOnlyList<KeyValuePair<string, string>> members) =>
        throw new NotSupportedException("it has no objects. Give JSON as a string instead.");
}
