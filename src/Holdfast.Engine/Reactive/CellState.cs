namespace Holdfast.Engine.Reactive;

/// <summary>
/// Whether a cell may run, by its own text and its place in the graph; what lies upstream of it is <see cref="RunPlan"/>'s to say.
/// </summary>
public sealed record CellState(IReadOnlyList<BlockReason> Reasons, bool IsDisabled)
{
    public static readonly CellState Ok = new([], false);

    public bool IsBlocked => Reasons.Count > 0;

    public bool IsRunnable => !IsBlocked && !IsDisabled;

    /// <summary><c>ok</c>, <c>blocked</c> or <c>disabled</c>.</summary>
    public string Name =>
        IsBlocked ? "blocked"
        : IsDisabled ? "disabled"
        : "ok";

    public bool Equals(CellState? other) => other is not null && IsDisabled == other.IsDisabled && Reasons.SequenceEqual(other.Reasons);

    public override int GetHashCode() => HashCode.Combine(IsDisabled, Reasons.Count);
}

/// <summary>Why a cell may not run by itself.</summary>
public enum BlockKind
{
    Cycle,
    MultipleDefinition,
    SyntaxError,
    StarImport,
    NotAnalysed,
}

/// <summary>One reason why a cell may not run, with everything it takes to mend it.</summary>
public sealed record BlockReason(BlockKind Kind, string Message)
{
    /// <summary>The cells that wait for one another, in order; the last leads back to the first.</summary>
    public IReadOnlyList<CycleStep> Cycle { get; init; } = [];

    /// <summary>Which names are written by which cells.</summary>
    public IReadOnlyList<NameConflict> Conflicts { get; init; } = [];

    /// <summary>As REST and the feed write it.</summary>
    public string KindName =>
        Kind switch
        {
            BlockKind.Cycle => "cycle",
            BlockKind.MultipleDefinition => "multipleDefinition",
            BlockKind.SyntaxError => "syntaxError",
            BlockKind.StarImport => "starImport",
            _ => "notAnalysed",
        };

    // The message is written from the rest, so it stands for it.
    public bool Equals(BlockReason? other) => other is not null && Kind == other.Kind && Message == other.Message;

    public override int GetHashCode() => HashCode.Combine(Kind, Message);
}

/// <summary><paramref name="Cell"/> defines <paramref name="Variable"/>, which the next cell of the cycle references.</summary>
public readonly record struct CycleStep(CellId Cell, string Variable);

/// <summary>All cells that write one name.</summary>
public sealed record NameConflict(string Name, IReadOnlyList<CellId> Cells);
