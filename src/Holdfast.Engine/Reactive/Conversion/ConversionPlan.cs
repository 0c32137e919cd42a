namespace Holdfast.Engine.Reactive.Conversion;

/// <summary>
/// Which names of a linear notebook get which new names, so that each has one cell. Nothing is touched of which not everything is known;
/// the reasons are kept for the report. Pure.
/// </summary>
internal sealed class ConversionPlan
{
    private ConversionPlan(IReadOnlyList<LinearCell> cells, IReadOnlyList<NameHistory> histories, string? opaque) =>
        (Cells, Histories, Opaque) = (cells, histories, opaque);

    public IReadOnlyList<LinearCell> Cells { get; }

    /// <summary>Of each name that more than one cell defines.</summary>
    public IReadOnlyList<NameHistory> Histories { get; }

    /// <summary>Why no name at all may be renamed.</summary>
    public string? Opaque { get; }

    /// <summary>Of each name that is renamed: what its last value is called.</summary>
    public IEnumerable<(string Name, string Last)> FinalNames =>
        Histories.Where(static h => h.Obstacle is null).Select(static h => (h.Name, h.Versions[^1].Name));

    /// <param name="refused">Names that could not be changed in the text, with the reason: not to be tried again.</param>
    public static ConversionPlan Of(IReadOnlyList<LinearCell> cells, IReadOnlyDictionary<string, string> refused)
    {
        string? opaque = cells
            .Select(static c =>
                c.Bindings?.Opaque is { } why ? $"{why} in cell {c.Index}"
                : c.Analysis.Error is { } error ? $"cell {c.Index} cannot be read ({error.Message})"
                : null
            )
            .FirstOrDefault(static w => w is not null);
        var histories = new List<NameHistory>();
        var fresh = new FreshNames(cells.Select(static c => c.Source));
        foreach (string name in Contested(cells))
        {
            NameHistory history = NameHistory.Of(name, cells);
            if (opaque is not null)
            {
                history.Stop(opaque);
            }

            if (refused.TryGetValue(name, out string? why))
            {
                history.Stop(why);
            }

            if (history.Obstacle is null)
            {
                history.GiveNames(fresh);
            }

            histories.Add(history);
        }

        return new ConversionPlan(cells, histories, opaque);
    }

    public IReadOnlyDictionary<LinearCell, List<NameChange>> Changes() =>
        Histories
            .Where(static h => h.Obstacle is null)
            .SelectMany(static h => h.Changes())
            .GroupBy(static c => c.Cell, static c => c.Change)
            .ToDictionary(static g => g.Key, static g => g.ToList());

    /// <summary>
    /// Names with two writers. The same import in several cells is one; a name that all of its users delete themselves is nobody's.
    /// </summary>
    private static IEnumerable<string> Contested(IReadOnlyList<LinearCell> cells) =>
        cells
            .SelectMany(static c => c.Analysis.Definitions.Select(n => (Name: n, Import: c.Analysis.Imports.GetValueOrDefault(n))))
            .GroupBy(static d => d.Name, StringComparer.Ordinal)
            .Where(static g => g.Count() > 1 && !(g.First().Import is { } import && g.All(d => d.Import == import)))
            .Select(static g => g.Key)
            .Order(StringComparer.Ordinal);
}
