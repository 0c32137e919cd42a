namespace Holdfast.Engine.Kernels;

/// <summary>What kernel somebody wants. Everything may be left open.</summary>
public sealed record StartKernelRequest
{
    /// <summary>Default: <see cref="StartKernel.DefaultSpec"/>.</summary>
    public string? SpecName { get; init; }

    /// <summary>Default: the server's own.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Beyond what the kernelspec and the server's own environment give.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>A UUID chosen by the caller; default: a new one.</summary>
    public KernelId? Id { get; init; }
}
