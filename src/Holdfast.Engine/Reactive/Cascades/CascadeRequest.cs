using Holdfast.Engine.Executions;
using Holdfast.Engine.Notebooks;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>A cascade as asked for.</summary>
public sealed record CascadeRequest
{
    /// <summary>Absolute, or below the server's root.</summary>
    public required string Path { get; init; }

    /// <summary>The cell to run, with the stale cells it needs and all that need it; null for everything that is stale.</summary>
    public CellId? Cell { get; init; }

    /// <summary>Only what edits that were not settled have made stale: what autorun runs.</summary>
    public bool IsAutorun { get; init; }

    /// <summary>To go on where the latest cascade stopped: everything stale, refused when nothing is.</summary>
    public bool IsResume { get; init; }

    /// <summary>
    /// A live kernel's id, or a kernelspec's name. Default: the kernel that the notebook has, else a new one of its own kernelspec.
    /// </summary>
    public string? Kernel { get; init; }
}

/// <summary>A cascade as accepted: durable, each cell an execution. A plan of no cells has no run.</summary>
public sealed record StartedCascade(Run? Run, IReadOnlyList<RunCellView> Cells, IReadOnlyList<ExcludedCell> Excluded);
