using System.Diagnostics.Metrics;

namespace Holdfast.Engine.Store;

/// <summary>The store's figures, under the meter <c>Holdfast.Store</c>: how many changes, how many share a sync, how long a batch takes.</summary>
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
        _changes = _meter.CreateCounter<long>("holdfast.store.changes", "{change}", "Changes committed, or rolled back by their own error.");
        _failedBatches = _meter.CreateCounter<long>("holdfast.store.batches.failed", "{batch}", "Batches that the disk or SQLite refused.");
        _batchSize = _meter.CreateHistogram<int>("holdfast.store.batch.size", "{change}", "Changes that shared one COMMIT.");
        _batchDuration = _meter.CreateHistogram<double>("holdfast.store.batch.duration", "s", "From BEGIN to the end of the synced COMMIT.");
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
