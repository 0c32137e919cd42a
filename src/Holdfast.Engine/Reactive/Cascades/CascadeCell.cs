using Holdfast.Engine.Reactive.Registration;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>A code cell of a notebook as it is now.</summary>
/// <param name="Index">0-based place in the file, markdown cells counted.</param>
/// <param name="AllowsError">Those that need it run also when it has failed.</param>
internal sealed record CascadeCell(string Source, int Index, bool AllowsError)
{
    /// <summary>As the notebook's registration keeps it, so that it is not made anew for each look.</summary>
    public required string SourceHash { get; init; }

    /// <summary>What the kernel is sent, where that is not the source.</summary>
    public string? Code { get; init; }
}

/// <summary>A notebook's cells with the graph of their names, at one moment.</summary>
internal sealed record CascadeSubject(CellRegistry Registry, IReadOnlyDictionary<CellId, CascadeCell> Cells)
{
    /// <summary>What was run in the notebook's kernel past the cascades, and is not taken into account yet.</summary>
    public IReadOnlyList<ClientRun> Runs { get; init; } = [];
}
