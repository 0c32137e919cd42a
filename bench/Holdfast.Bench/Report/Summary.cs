namespace Holdfast.Bench.Report;

/// <summary>Median and range of one value per round. With so few rounds nothing finer would be honest.</summary>
internal readonly record struct Summary(double Median, double Min, double Max)
{
    public static Summary Of(IReadOnlyCollection<double> values)
    {
        double[] sorted = [.. values];
        Array.Sort(sorted);
        double median =
            sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
        return new Summary(median, sorted[0], sorted[^1]);
    }

    public override string ToString() =>
        Min == Max ? Numbers.Text(Median) : $"{Numbers.Text(Median)} ({Numbers.Text(Min)}-{Numbers.Text(Max)})";
}
