namespace Holdfast.Engine.Reactive;

/// <summary>Names one cell within its notebook: nbformat's cell id.</summary>
public readonly record struct CellId(string Value)
{
    public override string ToString() => Value;
}
