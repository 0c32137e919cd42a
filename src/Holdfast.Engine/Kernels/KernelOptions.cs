namespace Holdfast.Engine.Kernels;

/// <summary>How kernels run, as set by whoever starts the server.</summary>
public sealed record KernelOptions
{
    /// <summary>For a kernel to answer after its start. Default 60 seconds, as Jupyter's clients give.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>For a kernel to end after shutdown_request, and then again after TERM. Default 5 seconds, as Jupyter's servers give.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(5);
}
