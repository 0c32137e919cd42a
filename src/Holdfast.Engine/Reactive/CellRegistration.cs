namespace Holdfast.Engine.Reactive;

/// <summary>What the graph knows of a cell: the part of its <see cref="CellAnalysis"/> that concerns other cells.</summary>
public sealed record CellRegistration(
    IReadOnlyList<string> Definitions,
    IReadOnlyList<string> References,
    IReadOnlyList<string> Deletions,
    IReadOnlyDictionary<string, string> Imports
)
{
    public static readonly CellRegistration Empty = new([], []);

    public CellRegistration(IReadOnlyList<string> definitions, IReadOnlyList<string> references)
        : this(definitions, references, [], new Dictionary<string, string>()) { }

    public static CellRegistration Of(CellAnalysis analysis) =>
        new(
            analysis.Definitions,
            analysis.Weak.Count == 0 ? analysis.References : [.. analysis.References.Concat(analysis.Weak)],
            analysis.Deletions,
            analysis.Imports
        );

    public bool IsSameAs(CellRegistration other) =>
        ReferenceEquals(this, other)
        || (
            Definitions.SequenceEqual(other.Definitions, StringComparer.Ordinal)
            && References.SequenceEqual(other.References, StringComparer.Ordinal)
            && Deletions.SequenceEqual(other.Deletions, StringComparer.Ordinal)
            && Imports.Count == other.Imports.Count
            && Imports.All(pair => other.Imports.TryGetValue(pair.Key, out string? value) && value == pair.Value)
        );
}
