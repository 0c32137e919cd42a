namespace Holdfast.Bench.Measure;

/// <summary>Percentiles of single operations within one round, in milliseconds.</summary>
internal sealed class Percentiles
{
    private readonly double[] _sorted;

    public Percentiles(IEnumerable<TimeSpan> times)
    {
        _sorted = [.. times.Select(t => t.TotalMilliseconds)];
        Array.Sort(_sorted);
    }

    public double Median => At(0.5);

    public double Mean => _sorted.Average();

    public double At(double fraction) => _sorted[Math.Min(_sorted.Length - 1, (int)(fraction * _sorted.Length))];
}
