namespace Holdfast.Engine.Reactive.Conversion;

/// <summary>
/// What of a linear notebook is otherwise in a reactive one, in the order of its cells. Pure; conflicts that renaming leaves come from the
/// verdicts on the converted texts.
/// </summary>
internal static class LinearFindings
{
    private const string BlockedTwo = "a name has one cell: every cell that defines it is blocked";

    public static IReadOnlyList<Finding> Of(ConversionPlan plan, CellRegistry converted)
    {
        var found = new List<Finding>();
        plan.Histories.ToList().ForEach(h => AddRedefinitions(found, plan, h));
        AddOrder(found, plan.Cells);
        foreach (LinearCell cell in plan.Cells)
        {
            AddOwn(found, plan, cell);
            AddCycles(found, cell, converted.State(cell.Id));
        }

        AddCounts(found, plan.Cells);
        return [.. found.OrderBy(static f => f.CellIndex).ThenBy(static f => f.Line).ThenByDescending(static f => f.Level)];
    }

    private static void AddRedefinitions(List<Finding> found, ConversionPlan plan, NameHistory history)
    {
        string name = history.Name;
        List<LinearCell> definers = [.. plan.Cells.Where(c => c.Analysis.Definitions.Contains(name))];
        string others = string.Join(", ", definers.Select(static c => c.Index));
        if (history.Obstacle is { } why)
        {
            foreach (LinearCell cell in definers.Skip(1))
            {
                int line = cell.Bindings?.Uses.FirstOrDefault(u => u.Name == name && u.Kind != UseKind.Read).Line ?? 0;
                found.Add(
                    new Finding(
                        "redefinition",
                        FindingLevel.Error,
                        cell.Index,
                        cell.Id,
                        line,
                        name,
                        $"{name} is defined again (cells {others})",
                        BlockedTwo,
                        $"by hand: rename it in one of them, or put them together. It is not done by itself: {why}",
                        IsFixed: false
                    )
                );
            }

            return;
        }

        foreach (NameVersion version in history.Versions.Where(v => v.Name != name))
        {
            int readers = version.Later.Select(static l => l.Cell).Distinct().Count();
            string where =
                readers == 0
                    ? "it is read in this cell only"
                    : $"here and in {(readers == 1 ? "the cell that reads it" : $"the {readers} cells that read it")}";
            found.Add(
                new Finding(
                    "redefinition",
                    FindingLevel.Error,
                    version.Cell.Index,
                    version.Cell.Id,
                    version.Line,
                    name,
                    $"{name} is defined in several cells ({others})",
                    BlockedTwo,
                    $"renamed to {version.Name}: {where}",
                    IsFixed: true
                )
            );
        }
    }

    /// <summary>Names that are read before they are there: from a cell further down, or from none.</summary>
    private static void AddOrder(List<Finding> found, IReadOnlyList<LinearCell> cells)
    {
        Dictionary<string, List<int>> definers = [];
        for (int place = 0; place < cells.Count; place++)
        {
            foreach (string name in cells[place].Analysis.Definitions)
            {
                (definers.TryGetValue(name, out List<int>? places) ? places : definers[name] = []).Add(place);
            }
        }

        for (int place = 0; place < cells.Count; place++)
        {
            LinearCell cell = cells[place];
            foreach (string name in cell.Analysis.References.Concat(cell.Analysis.Weak))
            {
                bool isBuiltIn = cell.Analysis.Weak.Contains(name);
                int line = cell.Bindings?.Uses.FirstOrDefault(u => u.Name == name && u.Value != UseValue.Own).Line ?? 0;
                List<int> places = definers.GetValueOrDefault(name, []);
                if (places.Exists(p => p < place))
                {
                    continue;
                }

                if (places.Exists(p => p > place) && !places.Contains(place))
                {
                    LinearCell later = cells[places.Find(p => p > place)];
                    bool isDeferred =
                        cell.Bindings?.Uses.Where(u => u.Name == name).All(static u => u.Value == UseValue.WhenCalled) == true;
                    found.Add(
                        new Finding(
                            isDeferred ? "functionReadsLater" : "readBeforeDefinition",
                            isDeferred ? FindingLevel.Note : FindingLevel.Warning,
                            cell.Index,
                            cell.Id,
                            line,
                            name,
                            isDeferred
                                ? $"a function reads {name}, which cell {later.Index} defines"
                                : $"{name} is read, and only cell {later.Index}, further down, defines it{(isBuiltIn ? ", over the built-in one" : "")}",
                            $"cell {cell.Index} runs after cell {later.Index}",
                            isDeferred ? "none needed" : "move the definition up, or rename one of them if they are not the same",
                            IsFixed: false
                        )
                    );
                }
                else if (!isBuiltIn)
                {
                    bool isOwn = places.Contains(place);
                    found.Add(
                        new Finding(
                            "hiddenState",
                            FindingLevel.Warning,
                            cell.Index,
                            cell.Id,
                            line,
                            name,
                            isOwn
                                ? $"{name} is read before this cell has given it a value, and no cell above does"
                                : $"{name} is read, and no cell defines it: left over from a cell that is gone, perhaps",
                            isOwn
                                ? "the cell takes the value of its own last run; in a new kernel there is none"
                                : "the cell fails with a NameError in a new kernel",
                            $"define {name} in a cell of its own",
                            IsFixed: false
                        )
                    );
                }
            }
        }
    }

    private static void AddOwn(List<Finding> found, ConversionPlan plan, LinearCell cell)
    {
        if (cell.Analysis.Error is { } error)
        {
            (string kind, string fix) = error.Kind switch
            {
                AnalysisErrorKind.StarImport => ("starImport", "import the names that are used"),
                AnalysisErrorKind.SyntaxError => ("syntaxError", "mend it"),
                _ => ("notAnalysed", "make the cell smaller"),
            };
            found.Add(
                new Finding(
                    kind,
                    FindingLevel.Error,
                    cell.Index,
                    cell.Id,
                    error.Line,
                    null,
                    error.Message,
                    "the cell is blocked",
                    fix,
                    IsFixed: false
                )
            );
            return;
        }

        foreach (
            CellMutation mutation in cell.Analysis.Mutations.Where(m =>
                plan.Cells.Any(c => c != cell && c.Analysis.Definitions.Contains(m.Name))
            )
        )
        {
            found.Add(
                new Finding(
                    "mutation",
                    FindingLevel.Note,
                    cell.Index,
                    cell.Id,
                    mutation.Line,
                    mutation.Name,
                    $"an object that another cell made is changed through {mutation.Name}",
                    $"cells that read {mutation.Name} are not run again for it",
                    $"do it in the cell that defines {mutation.Name}, or make a new object here",
                    IsFixed: false
                )
            );
        }

        foreach (CellMutation read in cell.Analysis.Mutations.Where(m => m.Name[0] == '_' && cell.Analysis.Privates.Contains(m.Name)))
        {
            LinearCell? maker = plan.Cells.FirstOrDefault(c => c.Analysis.WrittenPrivates.Contains(read.Name));
            found.Add(
                new Finding(
                    "hiddenState",
                    FindingLevel.Warning,
                    cell.Index,
                    cell.Id,
                    read.Line,
                    read.Name,
                    $"{read.Name} is read, which {(maker is null ? "no cell defines" : $"cell {maker.Index} makes")}",
                    "a name with an underscore belongs to its cell: this one fails with a NameError, or finds what is left over",
                    "name it without the underscore",
                    IsFixed: false
                )
            );
        }

        foreach (string name in cell.Analysis.Deletions.Intersect(cell.Analysis.References))
        {
            found.Add(
                new Finding(
                    "deletion",
                    plan.Cells.Any(c => c != cell && c.Analysis.Definitions.Contains(name)) ? FindingLevel.Error : FindingLevel.Warning,
                    cell.Index,
                    cell.Id,
                    0,
                    name,
                    $"del takes {name} away, which another cell made",
                    $"{name} has two writers: the cells are blocked",
                    "leave it out: in a reactive notebook a name goes when its cell goes",
                    IsFixed: false
                )
            );
        }

        foreach (
            (string name, _) in cell.Bindings?.Fixed.Where(static f => f.Value is "a function declares it global" or "a function writes it")
                ?? []
        )
        {
            found.Add(
                new Finding(
                    "globalWrite",
                    FindingLevel.Note,
                    cell.Index,
                    cell.Id,
                    0,
                    name,
                    $"a function writes {name}, which is global",
                    $"the cell counts as the one that defines {name}",
                    "have the function return it",
                    IsFixed: false
                )
            );
        }

        if (cell.Bindings?.Opaque is { } why)
        {
            found.Add(
                new Finding(
                    "dynamicNames",
                    FindingLevel.Note,
                    cell.Index,
                    cell.Id,
                    0,
                    null,
                    why,
                    "what it reads and writes by text is not in the graph",
                    "nothing is renamed in this notebook while it is there",
                    IsFixed: false
                )
            );
        }
    }

    private static void AddCycles(List<Finding> found, LinearCell cell, CellState state)
    {
        foreach (BlockReason reason in state.Reasons.Where(static r => r.Kind == BlockKind.Cycle))
        {
            found.Add(
                new Finding(
                    "cycle",
                    FindingLevel.Error,
                    cell.Index,
                    cell.Id,
                    0,
                    null,
                    reason.Message,
                    "the cells of the circle are blocked",
                    "put the cells together, or give one of the values another name",
                    IsFixed: false
                )
            );
        }
    }

    /// <summary>Cells that were last run after one that stands below them.</summary>
    private static void AddCounts(List<Finding> found, IReadOnlyList<LinearCell> cells)
    {
        LinearCell? before = null;
        foreach (LinearCell cell in cells.Where(static c => c.ExecutionCount is not null))
        {
            if (before is not null && cell.ExecutionCount < before.ExecutionCount)
            {
                found.Add(
                    new Finding(
                        "executionOrder",
                        FindingLevel.Note,
                        cell.Index,
                        cell.Id,
                        0,
                        null,
                        $"it was run ([{cell.ExecutionCount}]) before cell {before.Index} ([{before.ExecutionCount}]), which stands above it",
                        "cells run by what they need of one another",
                        "what the outputs show may not be what the notebook gives when it is run from the top",
                        IsFixed: false
                    )
                );
            }

            before = cell;
        }
    }
}
