namespace Holdfast.Engine.Reactive.Graph;

/// <summary>One cell in a <see cref="NameIndex"/>.</summary>
internal sealed class CellNode(CellId id, int slot)
{
    public CellId Id { get; } = id;

    /// <summary>This cell's place in arrays beside the index; a slot is used again after its cell is gone.</summary>
    public int Slot { get; } = slot;

    /// <summary>0-based place in the notebook.</summary>
    public int Position { get; set; }

    /// <summary>Place in the graph's topological order.</summary>
    public int Order { get; set; }

    public CellRegistration Registration { get; set; } = CellRegistration.Empty;

    public NameNode[] Definitions { get; set; } = [];

    public NameNode[] References { get; set; } = [];

    public NameNode[] Deletions { get; set; } = [];
}
