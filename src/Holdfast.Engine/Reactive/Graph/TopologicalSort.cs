namespace Holdfast.Engine.Reactive.Graph;

/// <summary>
/// Cells in an order in which each comes after those it depends on, and as near to the notebook's as that allows: of those that could be
/// next, the first by place.
/// </summary>
internal static class TopologicalSort
{
    /// <summary>Only edges among <paramref name="cells"/> count. There must be no cycle among them.</summary>
    public static List<CellNode> Run(NameIndex index, List<CellNode> cells)
    {
        const int outside = -1;
        int[] waitsFor = new int[index.SlotCount];
        Array.Fill(waitsFor, outside);
        foreach (CellNode cell in cells)
        {
            waitsFor[cell.Slot] = 0;
        }

        var ready = new PlaceQueue(index.Cells.Count);
        foreach (CellNode cell in cells)
        {
            int count = 0;
            foreach (NameNode name in cell.References)
            {
                foreach (CellNode definer in name.Sources)
                {
                    // An edge counts once for each name it goes by, here and below.
                    if (!ReferenceEquals(definer, cell) && waitsFor[definer.Slot] != outside)
                    {
                        count++;
                    }
                }
            }

            waitsFor[cell.Slot] = count;
            if (count == 0)
            {
                ready.Add(cell.Position);
            }
        }

        var sorted = new List<CellNode>(cells.Count);
        for (int place = ready.TakeFirst(); place >= 0; place = ready.TakeFirst())
        {
            CellNode next = index.Cells[place];
            sorted.Add(next);
            foreach (NameNode name in next.Definitions)
            {
                if (!name.LeadsFrom(next))
                {
                    continue;
                }

                foreach (CellNode reader in name.Readers)
                {
                    if (waitsFor[reader.Slot] != outside && !ReferenceEquals(reader, next) && --waitsFor[reader.Slot] == 0)
                    {
                        ready.Add(reader.Position);
                    }
                }
            }
        }

        return sorted.Count == cells.Count ? sorted : throw new InvalidOperationException("There is a cycle where none can be.");
    }
}
