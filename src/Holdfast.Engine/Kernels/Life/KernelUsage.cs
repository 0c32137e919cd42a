namespace Holdfast.Engine.Kernels.Life;

/// <summary>
/// What the whole tree of a kernel's processes uses. Memory is the sum of proportional set sizes: a page that several share counts once.
/// CPU percent is of one processor, over the time since the last question, or over a tenth of a second where there was none within a
/// minute.
/// </summary>
public sealed record KernelUsage(long MemoryBytes, double CpuSeconds, double CpuPercent, int Processes);

/// <summary>One reading; the timestamp is the clock's own.</summary>
internal sealed record UsageSample(long MemoryBytes, double CpuSeconds, int Processes, long Timestamp);
