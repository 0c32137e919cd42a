using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels.Life;

/// <summary>How a kernel is to be started, now and at each restart: decided once, stored with it.</summary>
public sealed record KernelPlan(string SpecName, string WorkingDirectory)
{
    /// <summary>Variables beyond the server's and the kernelspec's; they win over both.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = Nothing;

    /// <summary>For the whole tree of its processes; null for no limit.</summary>
    public long? MemoryBytesMax { get; init; }

    /// <summary>For the same, in thousandths of a processor; null for no limit.</summary>
    public long? CpuMillisMax { get; init; }

    /// <summary>Started again when it dies by itself.</summary>
    public bool IsAutoRestarted { get; init; }

    /// <summary>Started in advance, for whoever asks for one like it.</summary>
    public bool IsWarm { get; init; }

    /// <summary>With the limits that the kernelspec's metadata has, or else the server.</summary>
    internal static KernelPlan For(KernelSpec spec, string workingDirectory, KernelOptions options) =>
        new(spec.Name, workingDirectory)
        {
            MemoryBytesMax = KernelMetadata.MemoryBytesMax(spec) ?? options.MemoryBytesMax,
            CpuMillisMax = KernelMetadata.CpuMillisMax(spec) ?? options.CpuMillisMax,
        };

    internal static IReadOnlyDictionary<string, string> Nothing { get; } = new Dictionary<string, string>();
}
