namespace Holdfast.Engine.Kernels;

/// <summary>What kernel somebody wants. Everything may be left open.</summary>
public sealed record StartKernelRequest
{
    /// <summary>Default: <see cref="StartKernel.DefaultSpec"/>.</summary>
    public string? SpecName { get; init; }

    /// <summary>Default: the environment's KERNEL_WORKING_DIR if there is such a folder, else the server's root.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Beyond what the kernelspec and the server's own environment give.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Variables that a kernel is told when it is started for this request; one that was started in advance does without them.
    /// </summary>
    public IReadOnlyDictionary<string, string> Hints { get; init; } = new Dictionary<string, string>();

    /// <summary>A UUID chosen by the caller; default: a new one.</summary>
    public KernelId? Id { get; init; }

    /// <summary>What its processes may use together; default: what the kernelspec's metadata says, else the server's own default.</summary>
    public long? MemoryBytesMax { get; init; }

    /// <summary>How many processors they may use together, such as 1.5; default as above.</summary>
    public double? Cpus { get; init; }

    /// <summary>Started again when it dies by itself.</summary>
    public bool IsAutoRestarted { get; init; } = true;
}
