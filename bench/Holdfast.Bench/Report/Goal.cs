using System.Globalization;

namespace Holdfast.Bench.Report;

/// <summary>What a figure, or its ratio to what stands beside it, has to reach.</summary>
internal sealed record Goal(double Limit, bool IsUpperLimit, bool IsOfRatio)
{
    public static Goal AtMost(double limit) => new(limit, true, false);

    public static Goal AtLeast(double limit) => new(limit, false, false);

    public static Goal RatioAtMost(double limit) => new(limit, true, true);

    public static Goal RatioAtLeast(double limit) => new(limit, false, true);

    public bool IsReached(double median) => IsUpperLimit ? median <= Limit : median >= Limit;

    public string Text(string unit) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{(IsUpperLimit ? "<=" : ">=")} {Numbers.Text(Limit)}{(IsOfRatio ? "x" : " " + unit)}"
        );
}
