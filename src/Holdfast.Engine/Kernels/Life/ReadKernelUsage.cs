using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Kernels.Life;

/// <summary>What a kernel's processes use, read when somebody asks and never else. Null for a kernel that has none.</summary>
public sealed class ReadKernelUsage(LiveKernels live, TimeProvider time)
{
    private static readonly TimeSpan SampleTime = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan SampleAgeMax = TimeSpan.FromMinutes(1);

    public async Task<KernelUsage?> RunAsync(KernelId id, CancellationToken cancellationToken)
    {
        if (!live.TryGet(id, out LiveKernel? kernel) || SupervisorOf(kernel) is not { } supervisor)
        {
            return null;
        }

        UsageSample? before = kernel.LastUsage;
        TimeSpan age = before is null ? TimeSpan.MaxValue : time.GetElapsedTime(before.Timestamp);
        if (before is null || age > SampleAgeMax || age < SampleTime)
        {
            before = ProcessTreeReader.Read(supervisor.Pid, time.GetTimestamp());
            await Task.Delay(SampleTime, time, cancellationToken);
        }

        UsageSample now = ProcessTreeReader.Read(supervisor.Pid, time.GetTimestamp());
        if (!supervisor.IsAlive())
        {
            return null; // Its number may be another's by now.
        }

        kernel.LastUsage = now;
        double seconds = time.GetElapsedTime(before.Timestamp, now.Timestamp).TotalSeconds;
        double percent = seconds > 0 ? 100 * Math.Max(0, now.CpuSeconds - before.CpuSeconds) / seconds : 0;
        return new KernelUsage(now.MemoryBytes, Math.Round(now.CpuSeconds, 2), Math.Round(percent, 1), now.Processes);
    }

    private static ProcessIdentity? SupervisorOf(LiveKernel kernel)
    {
        try
        {
            ProcessIdentity supervisor = SupervisorRecord
                .Read(PlainFile.Read(kernel.Live.Files.Supervisor, AttemptFiles.RecordBytesMax))
                .Process;
            return supervisor.IsAlive() ? supervisor : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or AttemptFormatException)
        {
            return null; // Just being started, or just gone.
        }
    }
}
