namespace Holdfast.Engine.Reactive.Conversion;

/// <summary>What a plain name node does.</summary>
public enum UseKind
{
    Read,
    Write,

    /// <summary>A write by <c>for</c> or <c>with</c>: what such a name holds is seldom meant to be kept.</summary>
    Loop,

    /// <summary><c>x += 1</c>: a read and a write in one.</summary>
    Augment,
}

/// <summary>Whose value a name node finds.</summary>
public enum UseValue
{
    /// <summary>One that this cell has given it, on every path to here.</summary>
    Own,

    /// <summary>An earlier cell's.</summary>
    Earlier,

    /// <summary>One or the other, as it comes.</summary>
    Either,

    /// <summary>Whatever is there when a function is called.</summary>
    WhenCalled,
}

/// <summary>
/// One node that is a name of the notebook's. <paramref name="Ordinal"/> is its place among all name nodes of the cell, by which it can be
/// renamed.
/// </summary>
public readonly record struct NameUse(string Name, int Ordinal, int Line, UseKind Kind, UseValue Value);

/// <summary>
/// Where a cell's names are in its text and whose values they have, as far as its syntax tree says; beyond that, what keeps a name from
/// being renamed.
/// </summary>
public sealed record CellBindings
{
    /// <summary>In the order of execution.</summary>
    public IReadOnlyList<NameUse> Uses { get; init; } = [];

    /// <summary>Names that nobody may rename here, each with the reason.</summary>
    public IReadOnlyDictionary<string, string> Fixed { get; init; } = new Dictionary<string, string>();

    /// <summary>Names that the cell may have given a value at its end; true where it has on every path.</summary>
    public IReadOnlyDictionary<string, bool> Ends { get; init; } = new Dictionary<string, bool>();

    /// <summary>Words in texts that something may evaluate: a query, a format, a formula.</summary>
    public IReadOnlySet<string> Words { get; init; } = new HashSet<string>();

    /// <summary>Names to which this cell gives numbers and texts only, so that <c>x += 1</c> makes a new object.</summary>
    public IReadOnlySet<string> Immutable { get; init; } = new HashSet<string>();

    /// <summary>Why this cell may see any name of the notebook by its text, so that none may be renamed.</summary>
    public string? Opaque { get; init; }
}

/// <summary>What a name node is to be called.</summary>
/// <param name="Source">For an augmented assignment that becomes a plain one: the name whose value it takes.</param>
public readonly record struct NameChange(int Ordinal, string Name, string? Source);
