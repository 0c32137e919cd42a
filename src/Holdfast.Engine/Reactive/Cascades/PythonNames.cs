namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>Names of a notebook in Python of ours. They are identifiers, which the analyser has read from Python; whatever else came here
/// would be quoted.</summary>
internal static class PythonNames
{
    /// <summary>An expression that takes them out of the kernel's namespace, where they are there, and is None.</summary>
    public static string Removal(IReadOnlyList<string> names) => $"[globals().pop(_name, None) for _name in [{List(names)}]] and None";

    /// <summary>The items of a list of texts.</summary>
    public static string List(IReadOnlyList<string> names) =>
        string.Join(
            ", ",
            names.Select(static n =>
                $"\"{n.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\""
            )
        );
}
