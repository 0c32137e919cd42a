using System.Globalization;

namespace Holdfast.Bench.Report;

/// <summary>Numbers as people read them: three digits that matter, thousands apart.</summary>
internal static class Numbers
{
    public static string Text(double value) =>
        value.ToString(
            Math.Abs(value) switch
            {
                0 => "0",
                >= 100 => "#,0",
                >= 10 => "0.0",
                >= 0.1 => "0.00",
                _ => "0.0000",
            },
            CultureInfo.InvariantCulture
        );
}
