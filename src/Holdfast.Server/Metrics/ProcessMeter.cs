using System.Diagnostics.Metrics;
using System.Globalization;
using Holdfast.Engine;

namespace Holdfast.Server.Metrics;

/// <summary>The server's own figures, under the names every Prometheus client gives them, from /proc; and those of the runtime.</summary>
internal sealed class ProcessMeter : IDisposable
{
    public const string Name = "Holdfast.Process";

    private readonly Meter _meter = new(Name);

    public ProcessMeter(TimeProvider time)
    {
        var maxDescriptors = new Lazy<long>(MaxDescriptors);
        double startedAt = time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
        _ = _meter.CreateObservableCounter(
            "process.cpu",
            () => Environment.CpuUsage.TotalTime.TotalSeconds,
            "s",
            "Processor time of the server, user and system."
        );
        _ = _meter.CreateObservableGauge(
            "process.resident.memory",
            () => Environment.WorkingSet,
            "By",
            "Memory of the server that is resident."
        );
        _ = _meter.CreateObservableGauge("process.start.time", () => startedAt, "s", "When the server was started, since 1970.");
        _ = _meter.CreateObservableGauge(
            "process.open.fds",
            static () => ProcFolder.Count("/proc/self/fd"),
            "{descriptor}",
            "Descriptors that the server has open."
        );
        _ = _meter.CreateObservableGauge(
            "process.max.fds",
            () => maxDescriptors.Value,
            "{descriptor}",
            "Descriptors that it may have open."
        );
        _ = _meter.CreateObservableGauge(
            "process.threads",
            static () => ProcFolder.Count("/proc/self/task"),
            "{thread}",
            "Threads of the server."
        );
        _ = _meter.CreateObservableGauge(
            "dotnet.gc.heap",
            static () => GC.GetTotalMemory(forceFullCollection: false),
            "By",
            "The managed heap."
        );
        _ = _meter.CreateObservableCounter("dotnet.gc.collections", Collections, "{collection}", "Garbage collections, by generation.");
        _ = _meter.CreateObservableCounter(
            "dotnet.gc.pause",
            static () => GC.GetTotalPauseDuration().TotalSeconds,
            "s",
            "What garbage collections have stopped the server for."
        );
        _ = _meter.CreateObservableGauge(
            "dotnet.thread.pool.queue",
            static () => ThreadPool.PendingWorkItemCount,
            "{item}",
            "Work that waits for a thread of the pool."
        );
        _ = _meter.CreateObservableGauge(
            "holdfast.build.info",
            static () => new Measurement<long>(1, new KeyValuePair<string, object?>("version", ProductVersion.Current)),
            "{build}",
            "1, with the server's version."
        );
    }

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<long>> Collections()
    {
        for (int generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            yield return new Measurement<long>(
                GC.CollectionCount(generation),
                new KeyValuePair<string, object?>("generation", generation.ToString(CultureInfo.InvariantCulture))
            );
        }
    }

    private static long MaxDescriptors()
    {
        const string Row = "Max open files";
        string? line = File.ReadLines("/proc/self/limits").FirstOrDefault(static l => l.StartsWith(Row, StringComparison.Ordinal));
        string soft = line?[Row.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0] ?? "0";
        return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out long limit) ? limit : long.MaxValue;
    }
}
