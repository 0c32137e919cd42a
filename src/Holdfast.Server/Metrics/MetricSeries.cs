namespace Holdfast.Server.Metrics;

/// <summary>
/// One time series: an instrument under one set of labels. A counter adds, a gauge replaces, a histogram counts into its buckets.
/// </summary>
internal sealed class MetricSeries(string labels, double[]? boundaries)
{
    private readonly long[]? _buckets = boundaries is null ? null : new long[boundaries.Length + 1];

    /// <summary>As they are written: <c>kind="job",state="queued"</c>; empty when there are none.</summary>
    public string Labels { get; } = labels;

    /// <summary>The value; of a histogram the sum.</summary>
    public double Value { get; private set; }

    public long Count { get; private set; }

    /// <summary>False for what an observable instrument did not speak of the last time it was asked.</summary>
    public bool IsCurrent { get; set; } = true;

    public ReadOnlySpan<long> Buckets => _buckets;

    public void Set(double value) => (Value, IsCurrent) = (value, true);

    public void Add(double value) => Value += value;

    public void Count1(double value)
    {
        Value += value;
        Count++;
        int at = 0;
        while (at < boundaries!.Length && value > boundaries[at])
        {
            at++;
        }

        _buckets![at]++;
    }
}
