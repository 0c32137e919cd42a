using System.Diagnostics.Metrics;

namespace Holdfast.Engine.Store;

/// <summary>
/// The store's figures, under the meter <c>Holdfast.Store</c>: how many changes, how many share a sync, how long a batch takes.
/// </summary>
internal sealed class StoreMeter : IDisposable
{
    public const string Name = "Holdfast.Store";

    private readonly TimeProvider _time;
    private readonly Meter _meter = new(Name);
    private readonly Counter<long> _changes;
    private readonly Counter<long> _failedBatches;
    private readonly Histogram<int> _batchSize;
    private readonly Histogram<double> _batchDuration;

    public StoreMeter(TimeProvider time)
    {
        _time = time;
        _changes = _meter.CreateCounter<long>(
            "holdfast.store.changes",
            "{change}",
            "Changes committed, or rolled back by their own error."
        );
        _failedBatches = _meter.CreateCounter<long>("holdfast.store.batches.failed", "{batch}", "Batches that the disk or SQLite refused.");
        _batchSize = _meter.CreateHistogram<int>(
            "holdfast.store.batch.size",
            "{change}",
            "Changes that shared one COMMIT.",
            tags: null,
            new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000] }
        );
        _batchDuration = _meter.CreateHistogram<double>(
            "holdfast.store.batch.duration",
            "s",
            "From BEGIN to the end of the synced COMMIT.",
            tags: null,
            new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5],
            }
        );
    }

    public long Start() => _time.GetTimestamp();

    public void Committed(int changes, long start)
    {
        _changes.Add(changes);
        _batchSize.Record(changes);
        _batchDuration.Record(_time.GetElapsedTime(start).TotalSeconds);
    }

    public void Failed() => _failedBatches.Add(1);

    public void Dispose() => _meter.Dispose();
}
