using System.Diagnostics.Metrics;
using System.Text;

namespace Holdfast.Server.Metrics;

/// <summary>
/// One instrument's series, and the name Prometheus knows it by: dots become underscores, then come the unit and, for a counter,
/// <c>_total</c>.
/// </summary>
internal sealed class MetricFamily
{
    /// <summary>
    /// Labels come from closed sets of ours; more series than this would be a fault, and are left out rather than kept for ever.
    /// </summary>
    private const int SeriesMax = 256;

    private static readonly double[] UsualBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly Lock _lock = new();
    private readonly Dictionary<string, MetricSeries> _series = []; // guarded by _lock

    public MetricFamily(Instrument instrument, double[]? boundaries)
    {
        Help = instrument.Description ?? "";
        IsObserved = instrument.IsObservable;
        string kind = instrument.GetType().Name;
        Type =
            kind.StartsWith("Histogram", StringComparison.Ordinal) ? "histogram"
            : kind.StartsWith("Counter", StringComparison.Ordinal) || kind.StartsWith("ObservableCounter", StringComparison.Ordinal)
                ? "counter"
            : "gauge";
        Boundaries = Type == "histogram" ? boundaries ?? UsualBoundaries : null;
        Name = NameOf(instrument.Name, instrument.Unit) + (Type == "counter" ? "_total" : "");
    }

    public string Name { get; }

    public string Type { get; }

    public string Help { get; }

    public double[]? Boundaries { get; }

    private bool IsObserved { get; }

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string labels = tags.Length == 0 ? "" : LabelsOf(tags);
        lock (_lock)
        {
            if (!_series.TryGetValue(labels, out MetricSeries? series))
            {
                if (_series.Count == SeriesMax)
                {
                    return;
                }

                _series[labels] = series = new MetricSeries(labels, Boundaries);
            }

            if (Boundaries is not null)
            {
                series.Count1(value);
            }
            else if (IsObserved || Type == "gauge")
            {
                series.Set(value);
            }
            else
            {
                series.Add(value);
            }
        }
    }

    /// <summary>Before an observable instrument is asked again: what it says nothing of then is over.</summary>
    public void Forget()
    {
        if (IsObserved)
        {
            lock (_lock)
            {
                foreach (MetricSeries series in _series.Values)
                {
                    series.IsCurrent = false;
                }
            }
        }
    }

    public void Read(Action<MetricSeries> read)
    {
        lock (_lock)
        {
            foreach (
                MetricSeries series in _series.Values.Where(static s => s.IsCurrent).OrderBy(static s => s.Labels, StringComparer.Ordinal)
            )
            {
                read(series);
            }
        }
    }

    internal static string NameOf(string instrument, string? unit)
    {
        string name = instrument.Replace('.', '_');
        string? suffix = unit switch
        {
            "s" => "seconds",
            "By" => "bytes",
            _ => null,
        };
        return suffix is null || name.EndsWith("_" + suffix, StringComparison.Ordinal) ? name : $"{name}_{suffix}";
    }

    private static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var text = new StringBuilder();
        foreach ((string name, object? value) in tags)
        {
            _ = text.Append(text.Length == 0 ? "" : ",")
                .Append(name.Replace('.', '_'))
                .Append("=\"")
                .Append(PrometheusText.EscapeLabel(value?.ToString() ?? ""))
                .Append('"');
        }

        return text.ToString();
    }
}
