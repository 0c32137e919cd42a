using System.Diagnostics.Metrics;

namespace Holdfast.Server.Metrics;

/// <summary>
/// Listens to our own meters from the server's start, and keeps what they say for whoever scrapes. Another process's or library's meters
/// are not ours to publish.
/// </summary>
internal sealed class MeterReader : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private readonly List<MetricFamily> _families = []; // guarded by _lock, sorted by name

    public MeterReader(Func<Meter, bool>? isOurs = null)
    {
        isOurs ??= static meter => meter.Name.StartsWith("Holdfast", StringComparison.Ordinal);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (isOurs(instrument.Meter))
            {
                listener.EnableMeasurementEvents(instrument, Add(instrument));
            }
        };
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.Start();
    }

    /// <summary>Asks what is to be asked, and gives everything by name.</summary>
    public IReadOnlyList<MetricFamily> Collect()
    {
        lock (_lock)
        {
            _families.ForEach(static f => f.Forget());
            _listener.RecordObservableInstruments();
            return [.. _families];
        }
    }

    public void Dispose() => _listener.Dispose();

    private MetricFamily Add(Instrument instrument)
    {
        double[]? boundaries = instrument switch
        {
            Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds],
            Histogram<int> { Advice.HistogramBucketBoundaries: { } bounds } => [.. bounds.Select(static b => (double)b)],
            _ => null,
        };
        var family = new MetricFamily(instrument, boundaries);
        lock (_lock)
        {
            int at = _families.FindIndex(f => string.CompareOrdinal(f.Name, family.Name) > 0);
            _families.Insert(at < 0 ? _families.Count : at, family);
        }

        return family;
    }
}
