using Holdfast.Engine.Kernels.Life;

namespace Holdfast.Engine.Kernels;

/// <summary>How kernels run, as set by whoever starts the server.</summary>
public sealed record KernelOptions
{
    /// <summary>For a kernel to answer after its start. Default 60 seconds, as Jupyter's clients give.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// For a kernel to end after shutdown_request, and then again after TERM. Default 5 seconds, as Jupyter's servers give.
    /// </summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What is done about deaths.</summary>
    public RestartPolicy Restarts { get; init; } = new();

    /// <summary>What is done about kernels that nobody uses.</summary>
    public CullOptions Culling { get; init; } = new();

    /// <summary>For the processes of one kernel together, where neither the request nor the kernelspec says. Default: no limit.</summary>
    public long? MemoryBytesMax { get; init; }

    /// <summary>For the same, in thousandths of a processor. Default: no limit.</summary>
    public long? CpuMillisMax { get; init; }

    /// <summary>How many kernels of each kernelspec are kept ready. Default: none.</summary>
    public IReadOnlyDictionary<string, int> Warm { get; init; } = new Dictionary<string, int>();
}
