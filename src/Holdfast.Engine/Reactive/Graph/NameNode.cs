namespace Holdfast.Engine.Reactive.Graph;

/// <summary>One name and the cells that have to do with it. Which of them its readers depend on is decided here.</summary>
internal sealed class NameNode(string name)
{
    public string Name { get; } = name;

    public List<CellNode> Definers { get; } = [];

    public List<CellNode> Readers { get; } = [];

    public List<CellNode> Deleters { get; } = [];

    /// <summary>The one cell readers get this name from; null when nobody defines it, or when several do and disagree.</summary>
    public CellNode? Owner { get; private set; }

    /// <summary>The cells that readers of this name depend on: its owner, or, among disagreeing definers, each.</summary>
    public CellNode[] Sources { get; private set; } = [];

    /// <summary>Two cells write this name, and not by the same import.</summary>
    public bool IsContested { get; private set; }

    public bool IsUnused => Definers.Count + Readers.Count + Deleters.Count == 0;

    /// <summary>True if readers of this name depend on <paramref name="cell"/>, which defines it.</summary>
    public bool LeadsFrom(CellNode cell) => Owner is null || ReferenceEquals(Owner, cell);

    /// <summary>Notes one more definer. Many cells may import the same, so the others are not looked at where that is not needed.</summary>
    public void AddDefiner(CellNode cell)
    {
        Definers.Add(cell);
        if (Definers.Count > 1 && Owner is { } owner && ImportOf(cell) is { } import && import == ImportOf(owner) && Deleters.Count == 0)
        {
            Own(cell.Position < owner.Position ? cell : owner);
            return;
        }

        Decide();
    }

    public void RemoveDefiner(CellNode cell)
    {
        Definers.Remove(cell);
        if (Owner is null || ReferenceEquals(Owner, cell) || Deleters.Count > 0)
        {
            Decide();
        }
    }

    /// <summary>To be called after any change of the lists, or of the order of the definers.</summary>
    public void Decide()
    {
        bool isShared = Definers.Count > 0;
        CellNode? first = null;
        string? import = null;
        foreach (CellNode definer in Definers)
        {
            first = first is null || definer.Position < first.Position ? definer : first;
            if (Definers.Count > 1)
            {
                isShared &= ImportOf(definer) is { } what && (import ??= what) == what;
            }
        }

        Own(isShared ? first : null);
        IsContested =
            (Definers.Count > 1 && !isShared)
            || (Definers.Count > 0 && Deleters.Exists(d => Definers.Count > 1 || !ReferenceEquals(d, Definers[0])));
    }

    private string? ImportOf(CellNode definer) => definer.Registration.Imports.GetValueOrDefault(Name);

    private void Own(CellNode? owner)
    {
        Owner = owner;
        Sources = owner is null ? [.. Definers] : [owner];
    }
}
