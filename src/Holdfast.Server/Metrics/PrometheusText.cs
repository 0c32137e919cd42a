using System.Globalization;
using System.Text;

namespace Holdfast.Server.Metrics;

/// <summary>Writes Prometheus's text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).</summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static string Of(IEnumerable<MetricFamily> families)
    {
        var text = new StringBuilder(16 * 1024);
        foreach (MetricFamily family in families)
        {
            bool isFirst = true;
            family.Read(series =>
            {
                if (isFirst)
                {
                    isFirst = false;
                    _ = text.Append("# HELP ")
                        .Append(family.Name)
                        .Append(' ')
                        .Append(EscapeHelp(family.Help))
                        .Append('\n')
                        .Append("# TYPE ")
                        .Append(family.Name)
                        .Append(' ')
                        .Append(family.Type)
                        .Append('\n');
                }

                if (family.Boundaries is null)
                {
                    Line(text, family.Name, "", series.Labels, null, series.Value);
                }
                else
                {
                    Histogram(text, family, series);
                }
            });
        }

        return text.ToString();
    }

    internal static string EscapeLabel(string value) =>
        value
            .Replace("\\", @"\\", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", @"\n", StringComparison.Ordinal);

    private static string EscapeHelp(string value) =>
        value.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal);

    private static void Histogram(StringBuilder text, MetricFamily family, MetricSeries series)
    {
        long below = 0;
        for (int i = 0; i < family.Boundaries!.Length; i++)
        {
            below += series.Buckets[i];
            Line(text, family.Name, "_bucket", series.Labels, Number(family.Boundaries[i]), below);
        }

        Line(text, family.Name, "_bucket", series.Labels, "+Inf", series.Count);
        Line(text, family.Name, "_sum", series.Labels, null, series.Value);
        Line(text, family.Name, "_count", series.Labels, null, series.Count);
    }

    private static void Line(StringBuilder text, string name, string suffix, string labels, string? bound, double value)
    {
        _ = text.Append(name).Append(suffix);
        if (labels.Length > 0 || bound is not null)
        {
            _ = text.Append('{').Append(labels);
            if (bound is not null)
            {
                _ = text.Append(labels.Length > 0 ? "," : "").Append("le=\"").Append(bound).Append('"');
            }

            _ = text.Append('}');
        }

        _ = text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Number(double value) =>
        double.IsNaN(value) ? "NaN"
        : double.IsPositiveInfinity(value) ? "+Inf"
        : double.IsNegativeInfinity(value) ? "-Inf"
        : value.ToString("R", CultureInfo.InvariantCulture);
}
