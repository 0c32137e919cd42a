namespace Holdfast.Engine.Reactive.Conversion;

/// <summary>
/// A name that several cells define, cell by cell in the order of the notebook: each value it has had and which nodes find which. Where
/// that can be told of every node, and nothing but plain name nodes has the name, each value can have a name of its own. Pure.
/// </summary>
internal sealed class NameHistory
{
    private NameHistory(string name) => Name = name;

    public string Name { get; }

    public List<NameVersion> Versions { get; } = [];

    /// <summary>Why it is left as it is; null when it can be renamed.</summary>
    public string? Obstacle { get; private set; }

    public static NameHistory Of(string name, IReadOnlyList<LinearCell> cells)
    {
        var history = new NameHistory(name);
        var deferred = new List<(int Place, LinearCell Cell, NameUse Use)>();
        int lastPlace = -1;
        for (int place = 0; place < cells.Count; place++)
        {
            LinearCell cell = cells[place];
            if (cell.Bindings is not { } bindings)
            {
                history.StopIf(Mentions(cell.Analysis, name), $"cell {cell.Index} ({cell.Analysis.Language}) has it");
                continue;
            }

            history.Take(cell, bindings, use => deferred.Add((place, cell, use)), () => lastPlace = place);
        }

        // What the name holds when the notebook is done is the last value's, or the one before.
        history.StopIf(
            history.Versions is [.., { IsUncertain: true, IsLoop: false }],
            $"cell {history.Versions.LastOrDefault()?.Cell.Index}, the last that defines it, writes it on some paths only"
        );
        foreach ((int place, LinearCell cell, NameUse use) in deferred)
        {
            // A function that is made when the last value is there can find no other.
            if (place > lastPlace && history.Versions is [.., { IsUncertain: false } last])
            {
                last.Later.Add((cell, use));
            }
            else
            {
                history.Stop($"a function in cell {cell.Index} (line {use.Line}) reads it, and what it finds depends on when it is called");
            }
        }

        return history;
    }

    public void Stop(string why) => Obstacle ??= why;

    /// <summary>
    /// Names the values: one that no other cell reads is its cell's own, unless it is the last and not a loop's; the first of the others
    /// keeps the name.
    /// </summary>
    public void GiveNames(FreshNames fresh)
    {
        string? own = null;
        bool isTaken = false;
        for (int i = 0; i < Versions.Count; i++)
        {
            NameVersion version = Versions[i];
            bool isLast = i == Versions.Count - 1;
            if (version.Later.Count == 0 && (!isLast || version.IsLoop) && !version.Cell.IsParameters)
            {
                version.Name = own ??= fresh.Private(Name);
            }
            else
            {
                version.Name = isTaken ? fresh.Version(Name) : Name;
                isTaken = true;
            }

            StopIf(
                version.Cell.IsParameters && version.Name != Name,
                $"cell {version.Cell.Index} has parameters, which are set by their names"
            );
        }
    }

    /// <summary>Every node that is to be called otherwise, by cell.</summary>
    public IEnumerable<(LinearCell Cell, NameChange Change)> Changes()
    {
        NameVersion? before = null;
        foreach (NameVersion version in Versions)
        {
            foreach (NameUse use in version.Own)
            {
                string? source = use is { Kind: UseKind.Augment, Value: UseValue.Earlier } ? before!.Name : null;
                if (version.Name != Name || (source is not null && source != version.Name))
                {
                    yield return (version.Cell, new NameChange(use.Ordinal, version.Name, source));
                }
            }

            foreach ((LinearCell cell, NameUse use) in version.Later.Where(l => version.Name != Name && l.Use.Kind == UseKind.Read))
            {
                yield return (cell, new NameChange(use.Ordinal, version.Name, null));
            }

            before = version;
        }
    }

    private void Take(LinearCell cell, CellBindings bindings, Action<NameUse> defer, Action written)
    {
        if (bindings.Fixed.TryGetValue(Name, out string? why))
        {
            Stop($"in cell {cell.Index}, {why}");
        }

        StopIf(bindings.Words.Contains(Name), $"cell {cell.Index} has it in a text, which something may evaluate");
        bool isDefined = bindings.Ends.TryGetValue(Name, out bool isCertain);
        NameVersion? before = Versions.Count > 0 ? Versions[^1] : null;
        NameVersion? own = isDefined ? new NameVersion(cell) { IsUncertain = !isCertain && before is not null } : null;
        foreach (NameUse use in bindings.Uses.Where(u => u.Name == Name))
        {
            switch (use.Value)
            {
                case UseValue.Own:
                    own?.Own.Add(use);
                    StopIf(own is null, $"it is not clear what it is at the end of cell {cell.Index}");
                    break;
                case UseValue.Either:
                    Stop($"in cell {cell.Index}, line {use.Line}, it may be that cell's or an earlier one's");
                    break;
                case UseValue.WhenCalled:
                    defer(use);
                    break;
                default:
                    TakeEarlier(cell, bindings, before, own, use);
                    break;
            }
        }

        if (own is not null)
        {
            Versions.Add(own);
            written();
        }
    }

    private void TakeEarlier(LinearCell cell, CellBindings bindings, NameVersion? before, NameVersion? own, NameUse use)
    {
        if (before is null || before.IsUncertain)
        {
            Stop(
                before is null
                    ? $"cell {cell.Index} reads it before any cell defines it"
                    : $"cell {before.Cell.Index} writes it on some paths only, and cell {cell.Index} reads it"
            );
            return;
        }

        before.Later.Add((cell, use));
        if (use.Kind == UseKind.Augment)
        {
            own?.Own.Add(use);
            bool isImmutable = bindings.Immutable.Contains(Name) && Versions.TrueForAll(v => v.Cell.Bindings!.Immutable.Contains(Name));
            StopIf(
                !isImmutable || own is null,
                $"cell {cell.Index}, line {use.Line}, may change the object in place: write it as {Name} = {Name} + ... if it may not"
            );
        }
    }

    private void StopIf(bool condition, string why)
    {
        if (condition)
        {
            Stop(why);
        }
    }

    private static bool Mentions(CellAnalysis analysis, string name) =>
        analysis.Definitions.Contains(name)
        || analysis.References.Contains(name)
        || analysis.Weak.Contains(name)
        || analysis.Deletions.Contains(name);
}
