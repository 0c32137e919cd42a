namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>
/// Code of ours about a notebook's names in Python. They are identifiers, which the analyser has read from Python; whatever else came here
/// would be quoted.
/// </summary>
internal static class PythonNames
{
    /// <summary>A module that no import finds. For each cell it keeps the private names that the cell has made in its last run.</summary>
    private const string SetAsideIn = "_holdfast_private";

    /// <summary>
    /// An expression that takes them out of the kernel's namespace, where they are there, and is None. What they name lives on until the
    /// cell has run again: a folder for a while, a lock or a thread ends with its object.
    /// </summary>
    public static string SetAside(string cell, IReadOnlyList<string> names) =>
        $$"""vars(__import__("sys").modules.setdefault("{{SetAsideIn}}", type(__import__("sys"))("{{SetAsideIn}}"))).__setitem__({{Text(cell)}}, {_name: globals().pop(_name, None) for _name in [{{List(names)}}]})""";

    /// <summary>Statements that take them out of the kernel, and what they name.</summary>
    public static string Removal(IReadOnlyList<string> names) =>
        $$"""
            [globals().pop(_name, None) for _name in [{{List(names)}}]] and None
            [_kept.pop(_name, None) for _kept in list(vars(__import__("sys").modules.get("{{SetAsideIn}}", type(__import__("sys"))("none"))).values()) if type(_kept) is dict for _name in [{{List(
                names
            )}}]] and None

            """;

    /// <summary>The items of a list of texts.</summary>
    public static string List(IReadOnlyList<string> names) => string.Join(", ", names.Select(Text));

    private static string Text(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
