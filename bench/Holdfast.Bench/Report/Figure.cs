namespace Holdfast.Bench.Report;

/// <summary>
/// One line of the report: a value per round, and beside it, from the same rounds, what it is held against (a floor of this machine, or a
/// peer). Ratios are taken inside one round and then summarised, since rounds differ more than the two within one.
/// </summary>
internal sealed class Figure(string name, string unit, string? against = null, Goal? goal = null)
{
    private readonly List<double> _values = [];
    private readonly List<double> _against = [];

    public string Name => name;
    public string Unit => unit;

    /// <summary>What the value is held against; null when it stands alone.</summary>
    public string? Against => against;

    public Goal? Goal => goal;
    public IReadOnlyList<double> Values => _values;
    public IReadOnlyList<double> AgainstValues => _against;
    public IReadOnlyList<double> Ratios => [.. _values.Zip(_against, (value, other) => value / other)];

    public void Add(double value) => _values.Add(value);

    /// <summary>One round's value, and that round's value of the other; none when the other is not there.</summary>
    public void Add(double value, double? other)
    {
        _values.Add(value);
        if (other is { } known)
        {
            _against.Add(known);
        }
    }

    /// <summary>Null when there is no goal, or nothing to hold it against.</summary>
    public bool? IsReached =>
        goal is null || _values.Count == 0 || (goal.IsOfRatio && _against.Count == 0)
            ? null
            : goal.IsReached(Summary.Of(goal.IsOfRatio ? Ratios : _values).Median);
}
