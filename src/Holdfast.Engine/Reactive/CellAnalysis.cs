namespace Holdfast.Engine.Reactive;

/// <summary>
/// What a cell's source does to the names of its notebook, as far as can be known without running it. Lists are sorted and free of doubles.
/// Names a cell keeps to itself (<see cref="Privates"/>) are in none of the other lists.
/// </summary>
public sealed record CellAnalysis
{
    /// <summary><c>python</c>, <c>sql</c>, or what a later analyser understands.</summary>
    public string Language { get; init; } = "python";

    /// <summary>Names that exist for other cells after this one has run.</summary>
    public IReadOnlyList<string> Definitions { get; init; } = [];

    /// <summary>Names this cell takes from others. One that it also defines was read before: <c>x = x + 1</c>.</summary>
    public IReadOnlyList<string> References { get; init; } = [];

    /// <summary>
    /// Built-in names and shell variables this cell reads. Nobody need define them; a cell that does is depended on like any other.
    /// </summary>
    public IReadOnlyList<string> Weak { get; init; } = [];

    /// <summary>
    /// Names this cell takes away: another's, or its own after use. Nobody else may define them, but two cells may use and delete one name.
    /// </summary>
    public IReadOnlyList<string> Deletions { get; init; } = [];

    /// <summary>Writes into an object that another cell made, which no graph of names can order.</summary>
    public IReadOnlyList<CellMutation> Mutations { get; init; } = [];

    /// <summary>Names with a leading underscore.</summary>
    public IReadOnlyList<string> Privates { get; init; } = [];

    /// <summary>Of these, what the cell writes: none of IPython's own.</summary>
    public IReadOnlyList<string> WrittenPrivates { get; init; } = [];

    /// <summary>
    /// Of what it writes, what its functions read when they are called, which may be after another cell has written the same name.
    /// </summary>
    public IReadOnlyList<string> KeptPrivates { get; init; } = [];

    /// <summary>Of what it writes, what nothing can want any more when the cell has run.</summary>
    public IReadOnlyList<string> PassingPrivates { get; init; } = [];

    /// <summary>Definitions that are imports, each with what it imports: the same import in two cells is one definition.</summary>
    public IReadOnlyDictionary<string, string> Imports { get; init; } = new Dictionary<string, string>();

    /// <summary>Why this source cannot be registered; the lists are empty then.</summary>
    public AnalysisError? Error { get; init; }
}

/// <summary>A write through a name of another cell, with what to do instead.</summary>
public sealed record CellMutation(string Name, int Line, string Hint);

/// <summary>A source that cannot be registered.</summary>
/// <param name="Line">1-based; 0 when the whole source is meant.</param>
public sealed record AnalysisError(AnalysisErrorKind Kind, string Message, int Line);

/// <summary>Why a source cannot be registered.</summary>
public enum AnalysisErrorKind
{
    SyntaxError,
    StarImport,

    /// <summary>The analyser gave no answer within its time.</summary>
    NotAnalysed,
}
