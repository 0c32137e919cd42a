namespace Holdfast.Engine.Reactive;

/// <summary>
/// Private names that several cells write though the functions of one read them later: such a function finds the value of whichever cell
/// ran last, as the kernel has one namespace. Nobody is blocked, for most functions are called at once; each other cell that writes the
/// name is given a hint.
/// </summary>
public static class PrivateClashes
{
    public static IReadOnlyDictionary<CellId, List<CellMutation>> Of(CellRegistry registry)
    {
        var keepers = new Dictionary<string, CellId>(StringComparer.Ordinal);
        foreach (CellId cell in registry.Cells)
        {
            foreach (string name in registry.Analysis(cell).KeptPrivates)
            {
                keepers.TryAdd(name, cell);
            }
        }

        var hints = new Dictionary<CellId, List<CellMutation>>();
        foreach (CellId cell in keepers.Count > 0 ? registry.Cells : [])
        {
            foreach (string name in registry.Analysis(cell).WrittenPrivates)
            {
                if (keepers.TryGetValue(name, out CellId keeper) && keeper != cell)
                {
                    if (!hints.TryGetValue(cell, out List<CellMutation>? list))
                    {
                        hints.Add(cell, list = []);
                    }

                    list.Add(
                        new CellMutation(
                            name,
                            0,
                            $"{name} is what functions of the cell {keeper} read when they are called, and they will find this cell's: the kernel has one namespace. Give one of the two another name."
                        )
                    );
                }
            }
        }

        return hints;
    }
}
