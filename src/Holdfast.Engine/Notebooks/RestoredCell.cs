namespace Holdfast.Engine.Notebooks;

/// <summary>What became of a cell that ran after its notebook was saved.</summary>
public enum CellRecovery
{
    /// <summary>The notebook has its outputs now.</summary>
    Restored,

    /// <summary>The cell's source is another one than ran; the file's outputs stand.</summary>
    Conflict,
}

/// <summary>One cell of a notebook that ran after the notebook was saved.</summary>
public sealed record RestoredCell(int Index, string? CellId, string ExecutionId, string State, CellRecovery Recovery)
{
    public bool IsRestored => Recovery == CellRecovery.Restored;
}
