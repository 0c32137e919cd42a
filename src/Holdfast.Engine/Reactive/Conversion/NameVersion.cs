namespace Holdfast.Engine.Reactive.Conversion;

/// <summary>One cell's value of a name, with every node that finds it.</summary>
internal sealed class NameVersion(LinearCell cell)
{
    public LinearCell Cell => cell;

    public List<NameUse> Own { get; } = [];

    /// <summary>Nodes in later cells.</summary>
    public List<(LinearCell Cell, NameUse Use)> Later { get; } = [];

    /// <summary>Whether it may instead be the value before: it is written on some paths only.</summary>
    public bool IsUncertain { get; init; }

    public bool IsLoop =>
        Own.Exists(static u => u.Kind == UseKind.Loop) && Own.TrueForAll(static u => u.Kind is UseKind.Loop or UseKind.Read);

    public int Line => Own.Find(static u => u.Kind != UseKind.Read) is { Line: > 0 } write ? write.Line : 1;

    /// <summary>What it is called after the conversion.</summary>
    public string Name { get; set; } = "";
}
