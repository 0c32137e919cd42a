using System.Diagnostics.Metrics;
using Holdfast.Engine.Executions;

namespace Holdfast.Engine.Metrics;

/// <summary>
/// The engine's instruments, under the meter <c>Holdfast</c>: what happens is counted here as it happens, by whoever makes it happen; what
/// merely is, such as the depth of the queue, is looked up when somebody asks (<see cref="EngineGauges"/>). An instrument that nobody
/// listens to costs a comparison.
/// </summary>
public sealed class EngineMeters : IDisposable
{
    public const string Name = "Holdfast";

    /// <summary>From half a millisecond, a quick sync, to what a person has given up on.</summary>
    private static readonly double[] LatencySeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

    private static readonly double[] WaitSeconds = [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400];

    private readonly Histogram<double> _acknowledgement;
    private readonly Histogram<double> _queueWait;
    private readonly Histogram<double> _start;
    private readonly Histogram<double> _kernelStart;
    private readonly Counter<long> _finished;
    private readonly Counter<long> _supervisorsDied;
    private readonly Counter<long> _callbackAttempts;
    private readonly Histogram<double> _callbackDuration;
    private readonly Counter<long> _compressedSegments;
    private readonly Counter<long> _compressedBefore;
    private readonly Counter<long> _compressedAfter;

    public EngineMeters()
    {
        Meter = new Meter(Name, ProductVersion.Current);
        _acknowledgement = Latency(
            "holdfast.acknowledgement.duration",
            "From the call to the synced commit of what was asked for.",
            LatencySeconds
        );
        _queueWait = Latency("holdfast.queue.wait.duration", "From a job's acknowledgement until it was given a slot.", WaitSeconds);
        _start = Latency("holdfast.start.duration", "From a slot until the job's command was started.", LatencySeconds);
        _kernelStart = Latency(
            "holdfast.kernels.start.duration",
            "From the launch of a kernel until it could be talked to, or had died.",
            LatencySeconds
        );
        _finished = Meter.CreateCounter<long>(
            "holdfast.executions.finished",
            "{execution}",
            "Executions that came to an end since the server started."
        );
        _supervisorsDied = Meter.CreateCounter<long>(
            "holdfast.supervisors.died",
            "{supervisor}",
            "Supervisors whose lock was found free before their work had an end."
        );
        _callbackAttempts = Meter.CreateCounter<long>(
            "holdfast.callbacks.attempts",
            "{attempt}",
            "Tries to deliver a callback, by what came of them."
        );
        _compressedSegments = Meter.CreateCounter<long>(
            "holdfast.journal.compressed",
            "{segment}",
            "Segments of journals that were compressed since the server started."
        );
        _compressedBefore = Meter.CreateCounter<long>("holdfast.journal.compressed.before", "By", "What they took before.");
        _compressedAfter = Meter.CreateCounter<long>("holdfast.journal.compressed.after", "By", "What they take now.");
        _callbackDuration = Latency("holdfast.callbacks.attempt.duration", "Of one try to deliver a callback.", LatencySeconds);
    }

    /// <summary>For instruments that look something up.</summary>
    public Meter Meter { get; }

    /// <summary>Who reads a feed or a journal now.</summary>
    public FollowerTally Followers { get; } = new();

    /// <param name="operation">What was acknowledged: <c>job</c>, <c>notebook</c>, <c>kernel</c>.</param>
    public void Acknowledged(string operation, TimeSpan duration) =>
        _acknowledgement.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("operation", operation));

    public void Claimed(TimeSpan waited) => _queueWait.Record(Math.Max(0, waited.TotalSeconds));

    public void Started(TimeSpan duration) => _start.Record(Math.Max(0, duration.TotalSeconds));

    public void KernelStarted(bool isReady, TimeSpan duration) =>
        _kernelStart.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("outcome", isReady ? "ready" : "died"));

    public void Finished(ExecutionKind kind, ExecutionState state) =>
        _finished.Add(1, new("kind", ExecutionsTable.KindName(kind)), new("state", state.Name()));

    public void SupervisorDied() => _supervisorsDied.Add(1);

    /// <param name="outcome">What came of it: <c>delivered</c>, <c>retried</c>, or <c>parked</c>, which is given up.</param>
    public void CallbackTried(string outcome, TimeSpan duration)
    {
        _callbackAttempts.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
        _callbackDuration.Record(duration.TotalSeconds);
    }

    public void SegmentCompressed(long bytesBefore, long bytesAfter)
    {
        _compressedSegments.Add(1);
        _compressedBefore.Add(bytesBefore);
        _compressedAfter.Add(bytesAfter);
    }

    public void Dispose() => Meter.Dispose();

    private Histogram<double> Latency(string name, string description, double[] boundaries) =>
        Meter.CreateHistogram(name, "s", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = boundaries });
}
